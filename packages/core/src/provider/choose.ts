/** Which provider and which of its offers a request gets: a pure decision, made before anything is created. */
import * as Group from "../cluster/group.ts";
import { MusterError } from "../error.ts";
import type { Barred, Offer } from "../ports/provider.ts";
import type { Catalog, Offering } from "../ports/world.ts";
import type { Resources } from "../task/task.ts";

/** What a group may be made of. */
export interface Found {
  /** In the order to try them. */
  readonly offers: readonly [Offer, ...Offer[]];
  readonly barred: readonly Barred[];
}

/** @throws MusterError `unsupported` for a provider that this control plane does not have. */
export const provider = (providers: Catalog, resources: Pick<Resources, "provider">): Offering =>
  named(providers, resources.provider, ["resources.cloud"]);

/** @param keys of the task that name it */
function named(providers: Catalog, name: string | undefined, keys: readonly string[]): Offering {
  const names = [...providers.keys()];
  const wanted = name ?? names[0] ?? "";
  const found = providers.get(wanted);
  if (found) return found;
  throw new MusterError("unsupported", `this control plane has no provider '${wanted}'; it has: ${names.join(", ")}`, {
    issues: keys.map(path => ({ path, message: `no provider '${wanted}' here` })),
    hint: `run it here with: ${keys.map(key => `--${key} ${names[0]}`).join(" ")}`,
  });
}

/**
 * The provider of a request, and what each of its groups may be made of. What is refused to one group is said of it.
 * @throws MusterError `unsupported`, `no_offer` or `quota_exceeded`, with the reason.
 */
export async function forRequest(
  providers: Catalog,
  request: Group.Request,
): Promise<{ provider: Offering; groups: readonly (Group.Create & Found)[] }> {
  const groups = Group.wanted(request);
  const keys = (request.groups ?? []).flatMap(({ resources }, index) =>
    resources.provider === undefined ? [] : [`groups.${index}.resources.cloud`],
  );
  const chosen = named(providers, Group.providerOf(groups), keys.length > 0 ? keys : ["resources.cloud"]);
  const found: (Group.Create & Found)[] = [];
  for (const [index, group] of groups.entries())
    found.push({ ...group, ...(await told(request, index, offers(chosen, group))) });
  return { provider: chosen, groups: found };
}

/** @throws MusterError `no_offer` or `quota_exceeded` with the reason when there is none. */
async function offers(from: Offering, { resources, nodes }: Pick<Group.Create, "resources" | "nodes">): Promise<Found> {
  const { offers: found, reason, hint, barred = [] } = await from.offers({ ...resources, provider: from.name }, nodes);
  const [first, ...more] = found;
  if (first) return { offers: [first, ...more], barred };
  throw new MusterError(
    barred.length > 0 ? "quota_exceeded" : "no_offer",
    reason ?? `provider '${from.name}' has no machine like that`,
    {
      ...(hint !== undefined && { hint }),
    },
  );
}

/** Says of which group something is refused, and names its keys as they stand there. */
async function told<T>(request: Group.Request, index: number, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof MusterError) || request.groups === undefined) throw error;
    const { hint } = error.details;
    const its = hint?.replaceAll("--resources.", `--groups.${index}.resources.`);
    const details = { ...error.details, ...(its !== undefined && { hint: its }) };
    throw new MusterError(error.code, Group.about(request.groups, index, error.message), details, error);
  }
}
