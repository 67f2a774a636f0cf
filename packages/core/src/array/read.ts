/** Reading what has a job's id and no record of a job: an array, or a run of one that has not begun. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load, type Stored } from "../record.ts";
import * as JobArray from "./array.ts";

type Part = { readonly table: Table };

export interface Found {
  readonly array: Stored<JobArray.JobArray>;
  /** Of a run: which one. */
  readonly index?: number;
  /** Of a run that has begun since it was looked for: its record. */
  readonly run?: Stored<Job.Job>;
  /** Either as the API shows it. */
  readonly info: Job.Info;
}

/**
 * Asked where there was no record of a job: it may have come since, before the array was read.
 * @returns undefined when the id is neither an array's nor that of one of its runs.
 */
export async function seek(world: Part, workspace: string, id: string): Promise<Found | undefined> {
  const run = Id.partsOfRun(id);
  const array = await load(world.table, JobArray.noun, Keys.array(workspace, run?.array ?? id));
  if (array === undefined) return undefined;
  if (run === undefined) return { array, info: JobArray.info(array) };
  const { index } = run;
  const begun = index < array.next && (await load(world.table, Job.noun, Keys.job(workspace, id)));
  if (begun) return { array, index, run: begun, info: Job.info(begun) };
  return index < array.count ? { array, index, info: unbegun(array, index) } : undefined;
}

/** A run without a record waits for its turn; or has ended with those of its array that never began. */
function unbegun(array: JobArray.JobArray, index: number): Job.Info {
  const run = JobArray.runOf(array, index, array.createdAt);
  if (index >= array.next) return Job.info(run);
  // Runs are given up with their array: by whoever cancels it, or by what its cluster came to. Older arrays do not say when.
  const { state, at } = array.unbegun ?? {
    state: JobArray.isOver(array) ? array.state : "cancelled",
    at: array.changedAt,
  };
  const failure = state === "cancelled" ? undefined : array.failure;
  const shown = { ...run, state, failure, dueAt: array.createdAt, endedAt: at };
  return Job.info(shown);
}

/** @throws MusterError `not_found` */
export async function requireArray(world: Part, actor: Actor, id: string): Promise<void> {
  if ((await load(world.table, JobArray.noun, Keys.array(actor.workspace, id))) !== undefined) return;
  throw new MusterError("not_found", `there is no array '${id}'`, { hint: "see the latest jobs with: muster jobs" });
}

/** For whoever wants one job: what has one log, say, or one exit code. */
export function requireNone(found: Found | undefined, id: string): void {
  if (found === undefined) return;
  const { count } = found.array;
  if (found.index !== undefined)
    throw new MusterError("conflict", `run ${id} has not begun`, { hint: `see what it waits for: muster why ${id}` });
  throw new MusterError("conflict", `${id} is an array of ${count} runs: say which one`, {
    hint: `the first is ${Id.runOf(id, 0)}; see them all with: muster jobs --array ${id}`,
  });
}
