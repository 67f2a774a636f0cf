/** Reads the catalog for functions that are asked often: from the blob at first, then from memory. */
import { MusterError } from "@muster/core/error.ts";
import type { World } from "@muster/core/ports/world.ts";
import type { Catalog } from "./catalog.ts";
import { read } from "./stored.ts";

export type Reader = () => Promise<Catalog>;

/** From this age on the catalog is read again, in ms; meanwhile the old one serves. */
const FRESH = 300_000;
/** From this age on nobody is served the old one before the blob was asked, in ms. */
const STALE = 3_600_000;

/**
 * One catalog per process. Calls that meet share one read.
 * @returns a function that throws MusterError `unavailable` while there is no catalog that can be read
 */
export function catalogReader(world: Pick<World, "blobs" | "clock" | "log">, region: string): Reader {
  let held: { readonly catalog: Catalog; readonly at: number } | undefined;
  let reading: Promise<Catalog> | undefined;

  async function renew(): Promise<Catalog> {
    const at = world.clock.now();
    const catalog = await load(world, region);
    held = { catalog, at };
    return catalog;
  }
  function shared(): Promise<Catalog> {
    reading ??= renew().finally(() => {
      reading = undefined;
    });
    return reading;
  }
  const note = (error: unknown): void => world.log.error("the catalog cannot be read again", { error: String(error) });

  return async () => {
    if (held === undefined) return await shared();
    const { catalog, at } = held;
    const age = world.clock.now() - at;
    if (age < FRESH) return catalog;
    const renewed = shared().catch((error: unknown) => {
      note(error);
      return catalog;
    });
    return age < STALE ? catalog : await renewed;
  };
}

/** @throws MusterError `unavailable` */
async function load(world: Pick<World, "blobs">, region: string): Promise<Catalog> {
  const found = await read(world.blobs, region).catch((error: unknown) => {
    if (error instanceof MusterError) throw error;
    throw new MusterError(
      "unavailable",
      `the catalog of ${region} cannot be read`,
      { hint: "it is made anew every hour; an administrator can look with: muster doctor" },
      error,
    );
  });
  if (found !== undefined) return found;
  throw new MusterError("unavailable", `there is no catalog of ${region} yet`, {
    hint: "it is made within a minute of the deployment; ask again",
  });
}
