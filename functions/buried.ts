/** What a function is called to do by itself: where that fails it is counted, and a dead letter when it fails on and on. */
import { bury, type Failed } from "@muster/core/deadletter/bury.ts";
import type { World } from "@muster/core/ports/world.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";

/** It fails all the same: whoever called the function tries again, and sounds the alarm. */
export async function burying(
  world: Pick<World, "table" | "clock" | "log">,
  about: Pick<Failed, "subject" | "what" | "ring">,
  run: () => Promise<unknown>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    await bury(world, { ...about, workspace: FIRST, times: 1, error }).catch(failure =>
      world.log.error("a dead letter could not be recorded", { subject: about.subject, reason: String(failure) }),
    );
    throw error;
  }
}
