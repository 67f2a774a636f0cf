/** Jobs: a task on a cluster, once accepted never forgotten. */
import * as z from "zod";
import { Counts } from "../array/counts.ts";
import { Failure } from "../cluster/cluster.ts";
import { Need } from "../cluster/need.ts";
import * as Cost from "../cost/cost.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { Kept } from "../output/manifest.ts";
import type { Indexes } from "../ports/table.ts";
import { fieldsOf, type Noun } from "../record.ts";
import { Retry } from "../task/retry.ts";
import { Endpoint } from "../task/service.ts";
import { Labels, Name, Task } from "../task/task.ts";
import { Coarse, coarseOf } from "./coarse.ts";
import { Exec } from "./command.ts";
import { life } from "./life.ts";
import { GpuPeaks } from "./peaks.ts";

export const JobId = Id.schema("job");

/** How the job will end, decided by the first thing that went wrong; it ends when all its nodes have. */
export const Verdict = z.object({
  event: z.enum(["fail", "expire"]),
  exitCode: z.number().int().optional(),
  failure: Failure.optional(),
  rank: z.number().int().optional(),
});
export type Verdict = z.infer<typeof Verdict>;

/** Another job, and which of its ends this one waits for. */
export const After = z.strictObject({ job: JobId, on: z.enum(["success", "end"]).default("success") });
export type After = z.infer<typeof After>;

/** What it has in every state. */
export const base = {
  id: z.string(),
  workspace: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  provider: z.string().optional(),
  name: z.string().optional(),
  owner: z.string(),
  priority: z.number().int(),
  /** Hosts it runs on, all at once. */
  nodes: z.number().int(),
  /** What each of its nodes takes of its host: any of these; absent: the whole host. */
  needs: z.array(Need).optional(),
  /** Name of the group of the cluster's hosts that it runs on; absent: any. */
  group: z.string().optional(),
  /** The job group that it belongs to, by its id and its name. */
  jobGroup: z.object({ id: z.string(), name: z.string() }).optional(),
  /** It is commands on just these hosts, beside whatever runs there. */
  exec: Exec.optional(),
  /** Seconds that each try may run. */
  timeout: z.number().int().optional(),
  /** Epoch ms at which it ends if it has not begun. */
  startBy: z.number().optional(),
  retry: Retry.optional(),
  labels: Labels.optional(),
  /** Whether the cluster is its own, and made anew when its machines are lost. */
  managed: z.boolean().optional(),
  /** The array that it is a run of, and which one, from 0. */
  array: z.object({ id: z.string(), index: z.number().int() }).optional(),
  /** It waits for what will be an array of so many runs, and becomes that when it waits no more. */
  many: z.object({ count: z.number().int(), concurrent: z.number().int().optional() }).optional(),
  /** Tear the cluster down when this job has ended. */
  down: z.boolean(),
  /** Whether its task has secrets or secret files: they are kept under its id while it lives. */
  hasSecrets: z.boolean().optional(),
  /** Tries so far. */
  attempts: z.number().int(),
  /** How many of them came to nothing since a port was taken on a host: they do not count against its retries. */
  portsTaken: z.number().int().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
  startedAt: z.number().optional(),
  /** What it has cost: its share of its hosts; absent: nothing. */
  cost: Cost.Cost.optional(),
};
/** Epoch ms at which somebody must look at it again. */
const dueAt = z.number();
/** Its place: the fence of this try, and the ranks of the cluster's hosts, in the order of the job's own ranks. */
const placed = {
  dueAt,
  /** Epoch ms since when one of its hosts is silent, as far as somebody was there to be called. */
  suspectedAt: z.number().optional(),
  fence: z.number().int(),
  placement: z.array(z.number().int()),
  verdict: Verdict.optional(),
  /** Epoch ms by which it ends that has a verdict, whatever its hosts say. */
  endBy: z.number().optional(),
  /** Of its services, once they have been started. */
  endpoints: z.array(Endpoint).optional(),
};
const ended = {
  endedAt: z.number(),
  fence: z.number().int().optional(),
  placement: z.array(z.number().int()).optional(),
  exitCode: z.number().int().optional(),
  failure: Failure.optional(),
  /** False when the log's end could not be brought home in time. */
  logsComplete: z.boolean(),
  /** How busy its GPUs were at most, in its last try. */
  gpuPeaks: GpuPeaks.optional(),
  /** What its last try has kept of its outputs, all nodes together. */
  outputs: Kept.optional(),
};
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const Job = z.discriminatedUnion("state", [
  variant("waiting", {
    dueAt,
    /** What has not come to its end yet. */
    after: z.array(After).optional(),
    /** Whether somebody holds it back, until it is released. */
    held: z.boolean().optional(),
    /** Who holds it back. */
    heldBy: z.string().optional(),
    /** Seconds that it may wait in the queue, once it stands there. */
    queueTimeout: z.number().int().optional(),
  }),
  variant("queued", { dueAt }),
  variant("starting", placed),
  variant("running", placed),
  variant("recovering", { dueAt, failure: Failure.optional() }),
  variant("cancelling", placed),
  variant("succeeded", ended),
  variant("failed", { ...ended, failure: Failure }),
  variant("cancelled", ended),
  variant("timed_out", ended),
]);
export type Job = z.infer<typeof Job>;
export type State = Job["state"];
/** A job that has no place in the queue yet. */
export type Waiting = Extract<Job, { state: "waiting" }>;
/** A job that holds hosts. */
export type Placed = Extract<Job, { placement: number[]; dueAt: number }>;

export const noun: Noun<Job> = {
  type: "job",
  schema: Job,
  fields: fieldsOf(Job),
  key: record => Keys.job(record.workspace, record.id),
  indexes: record => ({ ...listIndexes(record), ...dueIndex(record) }),
};
export const kind = { noun, life };

/** A run of an array is found by its array alone: there may be very many of them. */
function listIndexes({ workspace, clusterId, id, array }: Job): Indexes {
  if (array !== undefined) return { link: Keys.link(Keys.jobsOf(workspace, array.id), Keys.runSort(array.index)) };
  return { list: Keys.list(workspace, "job", id), link: Keys.link(Keys.jobsOf(workspace, clusterId), id) };
}

function dueIndex(record: Job): Indexes {
  return "dueAt" in record ? { due: Keys.due(Keys.job(record.workspace, record.id).pk, record.id, record.dueAt) } : {};
}

export const isOver = (job: { readonly state: State }): boolean => life.isTerminal(job.state);
export const isWaiting = <J extends Job>(job: J): job is J & Waiting => job.state === "waiting";
export const isPlaced = (job: Job): job is Placed =>
  job.state === "starting" || job.state === "running" || job.state === "cancelling";

/** A job as the API shows it. */
export const Info = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.enum(life.states as [State, ...State[]]),
  coarse: Coarse.meta({ description: "The same in fewer words" }),
  done: z.boolean(),
  clusterId: z.string(),
  clusterName: z.string(),
  provider: z.string().optional(),
  owner: z.string(),
  priority: z.number().int(),
  nodes: z.number().int(),
  attempts: z.number().int(),
  down: z.boolean(),
  needs: z
    .array(Need)
    .optional()
    .meta({ description: "What each node takes of its host, any of these; absent: all of it" }),
  group: z.string().optional().meta({ description: "The group of hosts that it runs on; absent: any" }),
  jobGroup: z
    .object({ id: z.string(), name: z.string() })
    .optional()
    .meta({ description: "The job group that it belongs to" }),
  exec: Exec.optional().meta({ description: "Of commands that run beside whatever else does" }),
  timeout: z.number().int().optional().meta({ description: "Seconds that each try may run" }),
  startBy: z.number().optional().meta({ description: "Epoch milliseconds at which it ends if it has not begun" }),
  retry: Retry.optional(),
  retryAt: z.number().optional().meta({ description: "While it is recovering: epoch milliseconds of its next try" }),
  labels: Labels.optional(),
  managed: z.boolean().optional().meta({ description: "Whether its cluster is its own, and made anew for it" }),
  array: z
    .object({ id: z.string(), index: z.number().int() })
    .optional()
    .meta({ description: "The array that it is a run of, and which one, from 0" }),
  runs: Counts.optional().meta({ description: "Of an array: how far its runs are" }),
  values: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: "Of a run: its parameters, each of 200 characters at most" }),
  after: z.array(After).optional().meta({ description: "Jobs that it waits for" }),
  held: z.boolean().optional().meta({ description: "Whether somebody holds it back" }),
  placement: z
    .array(z.number().int())
    .optional()
    .meta({ description: "Ranks of the cluster's hosts, in the order of the job's ranks" }),
  fence: z.number().int().optional(),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
  changedAt: z.number().meta({ description: "Epoch milliseconds of the last change of state" }),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  cost: Cost.Info.optional().meta({ description: "What it has cost: its share of its hosts; absent: nothing" }),
  exitCode: z.number().int().optional(),
  failure: Failure.optional(),
  logsComplete: z.boolean().optional(),
  gpuPeaks: GpuPeaks.optional().meta({
    description:
      "The most that each GPU of each node was busy in its last try, 0 to 1, as its host saw it now and then",
  }),
  outputs: Kept.optional().meta({ description: "What its last try has kept: see the artifacts" }),
  endpoints: z
    .array(Endpoint)
    .optional()
    .meta({ description: "Of its services, while it runs: where its first host serves them" }),
});
export type Info = z.infer<typeof Info>;

export const info = (job: {
  readonly state: State;
  readonly dueAt?: number | undefined;
  readonly cost?: Cost.Cost | undefined;
}): Info =>
  Info.parse({
    ...job,
    coarse: coarseOf(job.state),
    done: isOver(job),
    cost: job.cost && Cost.info(job.cost),
    ...(job.state === "recovering" && { retryAt: job.dueAt }),
  });

export const Submit = z.strictObject({
  task: Task,
  name: Task.shape.name,
  /** 0 to 1000; higher runs first. */
  priority: z.number().int().min(0).max(Keys.MAX_PRIORITY).default(500),
  down: z.boolean().default(false),
  /** Jobs of the workspace that must have ended first. */
  after: z.array(After).min(1).max(20).optional(),
  /** Wait until it is released. */
  hold: z.boolean().optional(),
  /** Cancel what runs on the cluster, and what is queued there, first. */
  force: z.boolean().optional(),
  /** Run on the cluster's hosts of this group alone. */
  group: Name.optional(),
  /** While something runs or waits there: `queue` waits behind it, `fail` is refused. */
  onBusy: z.enum(["queue", "fail"]).optional(),
});
export type Submit = z.infer<typeof Submit>;
