/** Entries that failed again and again, as dead letters. */
import { buryAgain, bury as buryLetter } from "../deadletter/bury.ts";
import type { World } from "../ports/world.ts";
import { FIRST } from "../workspace/workspace.ts";
import { type DueType, type Entry, subjectOf } from "./outbox.ts";

const WORDS: Readonly<Record<DueType, string>> = {
  hookdelivery: "do what a hook was sent",
  hookwatch: "look for what never came to a hook",
  webhookdelivery: "deliver to a webhook",
  report: "report to the forge",
  auditday: "write the audit to the bucket",
};

const wordsOf = (entry: Exclude<Entry, { do: "retry" }>): string =>
  entry.do === "relay"
    ? `tell others of the event ${entry.event.kind} ${entry.event.id}`
    : `${WORDS[entry.type]}: ${entry.id}`;

/** @param times how often it has failed. */
export async function bury(
  world: Pick<World, "table" | "clock" | "log">,
  entry: Entry,
  times: number,
  error: unknown,
): Promise<void> {
  if (entry.do === "retry") return buryAgain(world, entry, times, error);
  const workspace = entry.workspace || FIRST;
  const what = wordsOf(entry);
  await buryLetter(world, { workspace, subject: `${entry.do} ${subjectOf(entry)}`, what, ring: entry, times, error });
}
