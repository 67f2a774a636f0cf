/** Secrets come first: they are kept before the job that needs them is made, or it could begin without them. */
import { Replay } from "../commit.ts";
import { MusterError } from "../error.ts";
import type { SecretsRef, Values } from "../ports/secrets.ts";
import { WriteConflict } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { forgetUnused } from "./forget.ts";

export type Part = Pick<Edge, "table" | "secrets" | "log">;

/**
 * Makes a job that has these secrets. `make` calls `keep` before each commit; they are kept once. When the job is certain
 * not to be made they are forgotten; when nobody knows, that is left to the sweep.
 * @throws what `make` throws, and what the secrets' port does
 */
export async function keeping<T>(
  world: Part,
  ref: SecretsRef,
  values: Values,
  make: (keep: () => Promise<void>) => Promise<T>,
): Promise<T> {
  let isKept = false;
  const keep = async () => {
    if (isKept || Object.keys(values).length === 0) return;
    await world.secrets.keep(ref, values);
    isKept = true;
  };
  try {
    return await make(keep);
  } catch (error) {
    if (isKept && isCertain(error)) await tidy(world, ref);
    throw error;
  }
}

/** Whether this says that nothing was written. */
function isCertain(error: unknown): boolean {
  if (error instanceof MusterError) return error.code !== "unavailable" && error.code !== "internal";
  return error instanceof WriteConflict || error instanceof Replay;
}

/** The caller has a failure to tell already. */
async function tidy(world: Part, ref: SecretsRef): Promise<void> {
  try {
    await forgetUnused(world, ref);
  } catch (error) {
    world.log.error("secrets of a job that was not made are left to the sweep", { ...ref, reason: String(error) });
  }
}
