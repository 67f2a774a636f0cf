/** One thing of many that are swept: when it fails, the others go on. */
import type { World } from "../ports/world.ts";

/** Hears what failed, beside the log. */
export type Tell = (failure: string, error: unknown) => void;

/** @returns undefined when it failed: that is logged, and the sweep goes on. */
export async function surviving<T>(
  world: Pick<World, "log">,
  failure: string,
  about: Readonly<Record<string, unknown>>,
  run: () => Promise<T>,
  tell?: Tell,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    world.log.error(failure, { ...about, reason: String(error) });
    tell?.(failure, error);
    return undefined;
  }
}
