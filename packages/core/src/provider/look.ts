/** Looking around: which machine types there are at what price, and whether the providers are ready for work. */
import * as z from "zod";
import { MusterError } from "../error.ts";
import type { Listed } from "../ports/provider.ts";
import type { Catalog } from "../ports/world.ts";

export const CatalogEntry = z.object({
  provider: z.string(),
  instanceType: z.string(),
  cpus: z.number(),
  memory: z.number().meta({ description: "GiB" }),
  accelerators: z.record(z.string(), z.number()),
  acceleratorMemory: z.number().optional().meta({ description: "GiB per accelerator" }),
  localDisk: z.number().optional().meta({ description: "GB of local disks, which a stop empties" }),
  region: z.string().optional(),
  zones: z.array(z.string()),
  hourly: z.number().optional().meta({ description: "US dollars per hour on demand" }),
  spotHourly: z.number().optional().meta({ description: "US dollars per hour on the spot market, where it is lowest" }),
});
export type CatalogEntry = z.infer<typeof CatalogEntry>;

/** What a caller looks for. */
export const CatalogQuery = z.object({
  provider: z.string().max(63).optional(),
  accelerator: z.string().max(63).optional().meta({ description: "Only machines with this accelerator" }),
  instanceType: z.string().max(63).optional().meta({ description: "Only this machine type" }),
  all: z.stringbool().default(false).meta({ description: "Also machines without accelerators" }),
});
export type CatalogQuery = z.infer<typeof CatalogQuery>;

/** Cheapest first; those without a price last. */
export async function catalog(
  world: { readonly providers: Catalog },
  query: CatalogQuery,
): Promise<{ items: CatalogEntry[] }> {
  const providers = [...world.providers.values()].filter(
    one => query.provider === undefined || one.name === query.provider,
  );
  if (providers.length === 0)
    throw new MusterError("not_found", `this control plane has no provider '${query.provider}'`, {
      hint: `it has: ${[...world.providers.keys()].join(", ")}`,
    });
  const listed = (await Promise.all(providers.map(provider => provider.catalog()))).flat();
  const wanted = listed.filter(one => fits(one, query));
  const price = (one: Listed): number => one.hourly ?? Number.POSITIVE_INFINITY;
  return { items: wanted.toSorted((a, b) => price(a) - price(b)).map(one => CatalogEntry.parse(one)) };
}

function fits({ accelerators, instanceType }: Listed, query: CatalogQuery): boolean {
  const names = Object.keys(accelerators);
  if (query.instanceType !== undefined) return instanceType === query.instanceType;
  if (query.accelerator === undefined) return query.all || names.length > 0;
  const word = plain(query.accelerator);
  return names.some(name => plain(name).includes(word));
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** One thing that must be in order. */
export const Check = z.object({
  provider: z.string(),
  name: z.string(),
  ok: z.boolean(),
  message: z.string(),
  fix: z.string().optional(),
});
export type Check = z.infer<typeof Check>;

/** A provider that cannot be asked is a finding, too. */
export async function doctor(world: { readonly providers: Catalog }): Promise<{ items: Check[] }> {
  const found = [...world.providers.values()].map(async provider => {
    try {
      return (await provider.checks()).map(check => ({ provider: provider.name, ...check }));
    } catch (error) {
      const hint = error instanceof MusterError ? error.details.hint : undefined;
      const message = error instanceof MusterError ? error.message : "it could not be asked";
      return [
        { provider: provider.name, name: "catalog", ok: false, message, ...(hint !== undefined && { fix: hint }) },
      ];
    }
  });
  return { items: (await Promise.all(found)).flat() };
}
