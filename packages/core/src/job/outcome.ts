/** How what a job waits for has ended, if it has: another job, or an array of them. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Key, Table } from "../ports/table.ts";
import type { After } from "./job.ts";

/** Both nouns end in these states. */
const ENDS = ["succeeded", "failed", "cancelled", "timed_out"] as const;
const State = z.object({ state: z.string() });

export interface Outcome {
  readonly key: Key;
  readonly version: number;
  /** The state it is in. */
  readonly state: string;
  readonly isOver: boolean;
}

/** @returns undefined when there is no such job, and no such array. */
export async function outcomeOf(table: Table, workspace: string, id: string): Promise<Outcome | undefined> {
  for (const key of [Keys.job(workspace, id), Keys.array(workspace, id)]) {
    const item = await table.get(key);
    if (item === undefined) continue;
    const { state } = State.parse(item.data);
    return { key, version: item.version, state, isOver: ENDS.some(end => end === state) };
  }
  return undefined;
}

const ends: Readonly<Record<string, string>> = { cancelled: "was cancelled", timed_out: "ran out of time" };

/** How it ended, in words. */
export const endOf = (other: Outcome | undefined): string =>
  other === undefined ? "is not there any more" : (ends[other.state] ?? other.state);

/** Whether what it waits for has come, may still come, or never will. */
export function isMet({ on }: After, { state, isOver }: Outcome): "yes" | "later" | "never" {
  if (!isOver) return "later";
  return on === "end" || state === "succeeded" ? "yes" : "never";
}
