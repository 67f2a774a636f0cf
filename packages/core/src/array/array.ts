/**
 * Arrays: many runs of one task, as one record that counts them. A run has a record of its own, that of a job, from when it
 * begins: those that have not begun cost nothing, however many they are.
 */
import * as z from "zod";
import { Failure } from "../cluster/cluster.ts";
import * as Id from "../id.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Indexes } from "../ports/table.ts";
import { fieldsOf, type Noun, type Stored, UNWRITTEN } from "../record.ts";
import type { Counts } from "./counts.ts";
import { life } from "./life.ts";

/** What became of the runs that never began, and when, in epoch ms. */
const Unbegun = z.object({ state: z.enum(["cancelled", "failed", "timed_out"]), at: z.number() });
export type Unbegun = z.infer<typeof Unbegun>;

/** What an array says for all its runs. Its secrets are kept once, under its id, until it ends. */
const { array: _, many, attempts, portsTaken, ...shared } = Job.base;
const base = {
  ...shared,
  count: z.number().int(),
  concurrent: z.number().int().optional(),
  /** The first that nobody has claimed, and that was not given up either. */
  next: z.number().int(),
  /** How many after that were cancelled, and are to be passed over. */
  skips: z.number().int().optional(),
  /** Once some were given up. */
  unbegun: Unbegun.optional(),
  started: z.number().int(),
  running: z.number().int(),
  succeeded: z.number().int(),
  failed: z.number().int(),
  cancelled: z.number().int(),
  timedOut: z.number().int(),
  /** Of the first run that did not end well. */
  exitCode: z.number().int().optional(),
  failure: Failure.optional(),
};
/** Epoch ms at which somebody must look at it again. */
const dueAt = z.number();
const ended = { endedAt: z.number() };
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const JobArray = z.discriminatedUnion("state", [
  variant("queued", { dueAt }),
  variant("running", { dueAt }),
  variant("cancelling", {
    dueAt,
    /** Batches of running ones that were told to end, while there are more. */
    round: z.number().int().optional(),
  }),
  variant("succeeded", ended),
  variant("failed", { ...ended, failure: Failure }),
  variant("cancelled", ended),
  variant("timed_out", { ...ended, failure: Failure }),
]);
export type JobArray = z.infer<typeof JobArray>;

export const noun: Noun<JobArray> = {
  type: "array",
  schema: JobArray,
  fields: fieldsOf(JobArray),
  key: record => Keys.array(record.workspace, record.id),
  indexes: record => ({
    list: Keys.list(record.workspace, "job", record.id),
    link: Keys.link(Keys.jobsOf(record.workspace, record.clusterId), record.id),
    ...dueIndex(record),
  }),
};
export const kind = { noun, life };

function dueIndex(record: JobArray): Indexes {
  return "dueAt" in record ? { due: Keys.due(noun.key(record).pk, record.id, record.dueAt) } : {};
}

export const isOver = (array: JobArray): boolean => life.isTerminal(array.state);

/** A new array in the place of the one job that its task would be. */
export function fromJob(job: Extract<Job.Job, { state: "queued" }>, count: number, concurrent?: number): JobArray {
  return {
    ...z.object(shared).parse(job),
    count,
    ...(concurrent !== undefined && concurrent < count && { concurrent }),
    next: 0,
    started: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    timedOut: 0,
    state: "queued",
    dueAt: job.dueAt,
  };
}

/** Runs that have not begun, and are still to begin. */
export const rest = (array: JobArray): number => array.count - array.next - (array.skips ?? 0);

/** Whether its next run may begin now: then, and only then, it has a place in the queue. */
export const isClaimable = (array: JobArray): boolean =>
  (array.state === "queued" || array.state === "running") &&
  rest(array) > 0 &&
  array.running < (array.concurrent ?? array.count);

/** One of its runs as a job that waits. It is written when it is given hosts, or is cancelled before. */
export function runOf(array: JobArray, index: number, now: number): Stored<Extract<Job.Job, { state: "queued" }>> {
  const { startBy, startedAt, cost, ...known } = z.object(shared).parse(array);
  return {
    ...known,
    id: Id.runOf(array.id, index),
    array: { id: array.id, index },
    // The array takes the cluster along, when all its runs have ended.
    down: false,
    attempts: 0,
    createdAt: now,
    changedAt: now,
    state: "queued",
    dueAt: now,
    version: UNWRITTEN,
    rest: {},
  };
}

export function info(array: JobArray): Job.Info {
  const { count, concurrent, started, running, succeeded, failed, cancelled, timedOut } = array;
  const runs: Counts = { count, concurrent, started, running, succeeded, failed, cancelled, timedOut };
  const shown = { ...array, attempts: started, runs };
  return Job.info(shown);
}
