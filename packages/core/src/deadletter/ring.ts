/** Rings that failed again and again, as dead letters. */
import { type Ring, subjectOf, workspaceOf } from "../doorbell.ts";
import type { World } from "../ports/world.ts";
import { FIRST } from "../workspace/workspace.ts";
import { bury, buryAgain } from "./bury.ts";

const WORDS: Readonly<Record<Ring["do"], string>> = {
  drive: "bring up, or down,",
  reconcile: "look after",
  look: "look after",
  kick: "call the hosts of",
  over: "see to the",
  strand: "see to the",
  array: "look after",
  pool: "look after",
  image: "look after",
  budget: "stop what runs in",
  sweep: "do the",
  replay: "try anew",
  moved: "hear what became of",
  warned: "hear what becomes of",
};

/** What it is about, for people: a kick may be of a thousand hosts. */
const thingOf = (ring: Ring): string => subjectOf(ring.do === "kick" ? { do: "reconcile", ref: ring.ref } : ring);

/** @param times how often it has failed. */
export async function buryRing(
  world: Pick<World, "table" | "clock" | "log">,
  ring: Ring,
  times: number,
  error: unknown,
): Promise<void> {
  if (ring.do === "replay") return buryAgain(world, ring, times, error);
  const workspace = workspaceOf(ring) || FIRST;
  const subject = subjectOf(ring);
  const what = `${WORDS[ring.do]} ${thingOf(ring).replace(`${workspace} `, "")}`;
  await bury(world, { workspace, subject: `${ring.do} ${subject}`, what, ring, times, error });
}
