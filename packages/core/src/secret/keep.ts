/** Secrets come first: they are kept before what they belong to is made, or a job could begin without them. */
import { Replay } from "../commit.ts";
import { MusterError } from "../error.ts";
import type { SecretsRef, Values } from "../ports/secrets.ts";
import { WriteConflict } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { forgetQuietly } from "./forget.ts";

export type Part = Pick<Edge, "table" | "secrets" | "log">;

/**
 * Makes what has these secrets. `make` calls `keep` before each commit; they are kept once. When it is certain that nothing
 * was made they are forgotten; when nobody knows, that is left to the sweep.
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
    // The caller has a failure to tell already.
    if (isKept && isCertain(error)) await forgetQuietly(world, ref);
    throw error;
  }
}

/** Whether this says that nothing was written. */
function isCertain(error: unknown): boolean {
  if (error instanceof MusterError) return error.code !== "unavailable" && error.code !== "internal";
  return error instanceof WriteConflict || error instanceof Replay;
}
