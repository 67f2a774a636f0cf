/** Secrets that were left behind: what they belong to was never made, or ended while nobody heard. */
import type { SecretsRef } from "../ports/secrets.ts";
import type { World } from "../ports/world.ts";
import { forgetUnused, type IsNeeded, needs } from "./forget.ts";

/** How old they must be, in ms: longer than any call that could still make what they belong to. */
export const LEFT_AFTER = 3_600_000;

type Part = Pick<World, "table" | "secrets" | "clock" | "log">;

/** @returns how many were forgotten. What fails for one does not keep the others from being looked at. */
export async function sweepSecrets(world: Part): Promise<number> {
  const before = world.clock.now() - LEFT_AFTER;
  const isNeeded = needs(world.table);
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await world.secrets.list({ before, cursor });
    for (const ref of page.refs) if (await isForgotten(world, ref, isNeeded)) count++;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return count;
}

async function isForgotten(world: Part, ref: SecretsRef, isNeeded: IsNeeded): Promise<boolean> {
  try {
    return await forgetUnused(world, ref, isNeeded);
  } catch (error) {
    world.log.error("secrets could not be swept", { ...ref, reason: String(error) });
    return false;
  }
}
