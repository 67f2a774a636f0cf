/** Which provider and which of its offers a request gets: a pure decision, made before anything is created. */
import * as Group from "../cluster/group.ts";
import { MusterError } from "../error.ts";
import type { Barred, Beside, Offer } from "../ports/provider.ts";
import type { Catalog, Offering } from "../ports/world.ts";
import type { Resources } from "../task/task.ts";
import { choicesOf, keyOf } from "./choices.ts";
import { offersOf } from "./offers.ts";

/** What a group may be made of. */
export interface Found {
  /** In the order to try them. */
  readonly offers: readonly [Offer, ...Offer[]];
  readonly barred: readonly Barred[];
}

/** What a request gets. */
export interface Chosen {
  readonly provider: Offering;
  readonly groups: readonly (Group.Create & Found)[];
  /** What its user should know of it: sentences. */
  readonly notices: readonly string[];
}

/** @throws MusterError `unsupported` for a provider that this control plane does not have. */
export const provider = (providers: Catalog, resources: Pick<Resources, "provider">): Offering =>
  named(providers, resources.provider ?? defaultOf(providers), ["resources.cloud"]);

const defaultOf = (providers: Catalog): string => [...providers.keys()][0] ?? "";

/** @param keys of the task that name it */
function named(providers: Catalog, wanted: string, keys: readonly string[]): Offering {
  const found = providers.get(wanted);
  if (found) return found;
  const [first, ...more] = providers.keys();
  const has = first === undefined ? "none" : [first, ...more].join(", ");
  const here = keys.map(key => `--${key} ${first}`).join(" ");
  throw new MusterError("unsupported", `this control plane has no provider '${wanted}'; it has: ${has}`, {
    issues: keys.map(path => ({ path, message: `no provider '${wanted}' here` })),
    hint: `run it here with: ${here}; or, for every file that says it: muster targets set ${wanted} --provider ${first}`,
  });
}

/**
 * The provider of a request, and what each of its groups may be made of. What is refused to one group is said of it. What
 * groups before it get counts with what a quota lets a group have.
 * @param on the provider, where that is settled
 * @throws MusterError `unsupported`, `no_offer` or `quota_exceeded`, with the reason.
 */
export async function forRequest(providers: Catalog, request: Group.Request, on?: string): Promise<Chosen> {
  const groups = Group.wanted(request);
  const chosen = on === undefined ? providerFor(providers, request) : named(providers, on, ["resources.cloud"]);
  const found: (Group.Create & Found)[] = [];
  const notices: string[] = [];
  const beside: Beside[] = [];
  for (const [index, group] of groups.entries()) {
    const others = leftOut(providers, chosen, group.resources);
    const { notices: its, ...offered } = await told(request, index, offers(chosen, group, beside, others));
    found.push({ ...group, ...offered });
    beside.push({ offer: offered.offers[0], nodes: group.nodes });
    notices.push(...[...others, ...its].map(notice => Group.about(groups, index, notice)));
  }
  return { provider: chosen, groups: found, notices };
}

/** The first that is named and that there is, and on which each of the groups can be; the default where none is named. */
function providerFor(providers: Catalog, request: Group.Request): Offering {
  const groups = Group.wanted(request);
  const usual = defaultOf(providers);
  const named = groups.flatMap(({ resources }) => namesIn(resources, usual));
  requireAny(providers, request);
  const fits = (name: string) => groups.every(({ resources }) => takes(resources, name));
  const found = [...named, usual].map(name => (fits(name) ? providers.get(name) : undefined)).find(Boolean);
  if (found !== undefined) return found;
  throw new MusterError("unsupported", "all groups of a cluster are on one provider, and these have none in common", {
    hint: `name one of them in each of the groups: ${[...providers.keys()].join(", ")}`,
  });
}

/** The providers that a group names, in the order in which it would be on them. */
function namesIn(resources: Resources, usual: string): readonly string[] {
  const choices = choicesOf(resources);
  if (keyOf(resources) === undefined) return choices.flatMap(({ provider: name }) => name ?? []);
  const names = choices.map(({ provider: name }) => name ?? usual);
  return resources.anyOf !== undefined && names.includes(usual) ? [usual, ...names] : names;
}

const takes = (resources: Resources, name: string): boolean =>
  choicesOf(resources).some(choice => choice.provider === undefined || choice.provider === name);

/** @throws MusterError `unsupported` where a group is only for providers that there are not. */
function requireAny(providers: Catalog, request: Group.Request): void {
  const lost = Group.wanted(request).flatMap(({ resources }, index) => {
    const isLost = choicesOf(resources).every(({ provider: name }) => name !== undefined && !providers.has(name));
    const path = request.groups === undefined ? "resources" : `groups.${index}.resources`;
    return isLost ? choicesOf(resources).map((choice, at) => ({ ...choice, path: pathOf(resources, path, at) })) : [];
  });
  const [first] = lost;
  if (first?.provider === undefined) return;
  named(
    providers,
    first.provider,
    lost.filter(one => one.provider === first.provider).map(({ path }) => `${path}.cloud`),
  );
}

function pathOf(resources: Resources, path: string, choice: number): string {
  const key = keyOf(resources);
  return key === undefined || resources[key === "any_of" ? "anyOf" : key]?.[choice]?.provider === undefined
    ? path
    : `${path}.${key}.${choice}`;
}

/** Which choices do not count, since machines of theirs would be on another provider. */
function leftOut(providers: Catalog, chosen: Offering, resources: Resources): string[] {
  const key = keyOf(resources);
  if (key === undefined) return [];
  return choicesOf(resources).flatMap(({ provider: name }, index) => {
    if (name === undefined || name === chosen.name) return [];
    const why = providers.has(name)
      ? `all machines of a cluster are on one provider, here '${chosen.name}'`
      : `this control plane has no provider '${name}'`;
    return [`resources.${key}.${index} is left out: ${why}`];
  });
}

/**
 * @param others why some of its choices do not count
 * @throws MusterError `no_offer` or `quota_exceeded` with the reason when there is none.
 */
async function offers(
  from: Offering,
  { resources, nodes }: Pick<Group.Create, "resources" | "nodes">,
  beside: readonly Beside[],
  others: readonly string[],
): Promise<Found & { readonly notices: readonly string[] }> {
  const { offers: found, reason, hint, barred = [], notices = [] } = await offersOf(from, resources, nodes, beside);
  const [first, ...more] = found;
  if (first) return { offers: [first, ...more], barred, notices };
  throw new MusterError(
    barred.length > 0 ? "quota_exceeded" : "no_offer",
    [reason ?? `provider '${from.name}' has no machine like that`, ...others].join("; "),
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
