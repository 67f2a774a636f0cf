/** Which provider and which of its offers a request gets: a pure decision, made before anything is created. */
import { MusterError } from "../error.ts";
import type { Barred, Offer } from "../ports/provider.ts";
import type { Catalog, Offering } from "../ports/world.ts";
import type { Resources } from "../task/task.ts";

/** @throws MusterError `unsupported` for a provider that this control plane does not have. */
export function provider(providers: Catalog, resources: Resources): Offering {
  const names = [...providers.keys()];
  const wanted = resources.provider ?? names[0] ?? "";
  const found = providers.get(wanted);
  if (found) return found;
  throw new MusterError("unsupported", `this control plane has no provider '${wanted}'; it has: ${names.join(", ")}`, {
    issues: [{ path: "resources.cloud", message: `no provider '${wanted}' here` }],
    hint: `run it here with: --resources.cloud ${names[0]}`,
  });
}

/** Offers in the order to try them. @throws MusterError `no_offer` with the reason when there is none. */
export async function offers(
  providers: Catalog,
  resources: Resources,
  nodes: number,
): Promise<{ provider: Offering; offers: readonly [Offer, ...Offer[]]; barred: readonly Barred[] }> {
  const chosen = provider(providers, resources);
  const { offers: found, reason, hint, barred = [] } = await chosen.offers(resources, nodes);
  const [first, ...more] = found;
  if (first) return { provider: chosen, offers: [first, ...more], barred };
  throw new MusterError(
    barred.length > 0 ? "quota_exceeded" : "no_offer",
    reason ?? `provider '${chosen.name}' has no machine like that`,
    {
      ...(hint !== undefined && { hint }),
    },
  );
}
