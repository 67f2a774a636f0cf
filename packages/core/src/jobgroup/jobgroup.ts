/**
 * Job groups: tasks of different kinds that run at the same time, each a job on hosts of its own, all of one cluster. A job
 * group ends with its primary tasks; the others are there for these, and are ended after them.
 *
 * Lifecycle: running until the last primary task has ended, then ending while others are to be ended, each after its delay.
 * What becomes of it is read off its jobs, whenever anybody looks: it counts nothing.
 */
import * as z from "zod";
import * as Cluster from "../cluster/cluster.ts";
import * as Group from "../cluster/group.ts";
import { Idle } from "../cluster/idle.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Indexes } from "../ports/table.ts";
import { fieldsOf, type Noun } from "../record.ts";
import { Name, Task } from "../task/task.ts";
import { LEAST, MOST } from "./bounds.ts";
import { life } from "./life.ts";
import { variableOf } from "./variable.ts";

/** Seconds. */
const LONGEST_DELAY = 86_400;

const Member = z.object({
  name: z.string(),
  jobId: z.string(),
  nodes: z.number().int(),
  /** Absent: its end is not the end of the others. */
  primary: z.literal(true).optional(),
  /** Seconds that it may go on when all primary tasks have succeeded. */
  delay: z.number().int().optional(),
});
export type Member = z.infer<typeof Member>;

const base = {
  id: z.string(),
  workspace: z.string(),
  name: z.string(),
  owner: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  tasks: z.array(Member),
  createdAt: z.number(),
  changedAt: z.number(),
};
/** Epoch ms at which somebody must look at it again. */
const dueAt = z.number();
const ended = { endedAt: z.number() };
/** Of the first of its primary tasks that did not end well. */
const failure = Cluster.Failure;
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const JobGroup = z.discriminatedUnion("state", [
  variant("running", { dueAt }),
  variant("ending", { dueAt, failure: failure.optional() }),
  variant("succeeded", ended),
  variant("failed", { ...ended, failure }),
  variant("cancelled", { ...ended, failure: failure.optional() }),
]);
export type JobGroup = z.infer<typeof JobGroup>;
export type State = JobGroup["state"];

export const noun: Noun<JobGroup> = {
  type: "jobgroup",
  schema: JobGroup,
  fields: fieldsOf(JobGroup),
  key: record => Keys.jobGroup(record.workspace, record.id),
  indexes: record => ({ list: Keys.list(record.workspace, "jobgroup", record.id), ...dueIndex(record) }),
};
export const kind = { noun, life };

function dueIndex(record: JobGroup): Indexes {
  return "dueAt" in record ? { due: Keys.due(noun.key(record).pk, record.id, record.dueAt) } : {};
}

export const isOver = (group: { readonly state: State }): boolean => life.isTerminal(group.state);

/** A job group as the API shows it. */
export const Info = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(life.states as [State, ...State[]]),
  done: z.boolean(),
  owner: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  tasks: z.array(
    z.object({
      name: z.string(),
      jobId: z.string(),
      nodes: z.number().int(),
      primary: z.boolean().meta({ description: "Whether the others end after it" }),
      delay: z.number().int().meta({ description: "Seconds that it may go on when the primary tasks have succeeded" }),
    }),
  ),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
  changedAt: z.number(),
  endedAt: z.number().optional(),
  failure: failure.optional().meta({ description: "Of the first of its primary tasks that did not end well" }),
});
export type Info = z.infer<typeof Info>;

export const info = (group: JobGroup): Info =>
  Info.parse({
    ...group,
    done: isOver(group),
    tasks: group.tasks.map(task => ({ ...task, primary: task.primary ?? false, delay: task.delay ?? 0 })),
  });

const VERBS: Readonly<Partial<Record<State, string>>> = { succeeded: "has", failed: "has", cancelled: "was" };

/** How it stands, in a sentence, and why. */
export function sentence(group: JobGroup): string {
  const cause = "failure" in group && group.failure ? `: ${group.failure.message}` : "";
  return `its job group '${group.name}' ${VERBS[group.state] ?? "is"} ${group.state}${cause}`;
}

const Asked = z.strictObject({
  task: Task,
  priority: Job.Submit.shape.priority,
  primary: z.boolean().default(true).meta({ description: "Whether the others end after it" }),
  delay: z
    .number()
    .int()
    .min(0)
    .max(LONGEST_DELAY)
    .default(0)
    .meta({ description: "Seconds that it may go on when all primary tasks have succeeded" }),
});
export type Asked = z.infer<typeof Asked>;

export const Create = z
  .strictObject({
    name: Name,
    tasks: z.array(Asked).min(LEAST).max(MOST).meta({
      description: "Each has a name, which no other has, and a group of hosts of that name by its nodes and resources",
    }),
    cluster: Name.optional().meta({ description: "Name of its cluster, which is a new one; absent: one is made up" }),
    target: Name.optional().meta({ description: "Name of a target: its provider stands over those of the tasks" }),
    idle: Idle.optional(),
    maxLifetime: Cluster.Create.shape.maxLifetime,
    shared: z.boolean().default(false),
    down: z.boolean().default(false).meta({ description: "Tear the cluster down when all have ended" }),
  })
  .superRefine(({ tasks }, context) => {
    const amiss = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path: ["tasks", ...path], message });
    for (const [index, { task }] of tasks.entries())
      for (const [field, message] of problemsOf(task)) amiss([index, "task", field], message);
    const names = tasks.map(({ task }) => variableOf(task.name ?? ""));
    for (const [index, name] of names.entries())
      if (name !== "" && names.indexOf(name) < index)
        amiss([index, "task", "name"], `another task is called '${tasks[names.indexOf(name)]?.task.name}'`);
    if (!tasks.some(({ primary }) => primary)) amiss([], "at least one task is primary");
    const nodes = Group.nodesOf(tasks.map(({ task }) => task));
    if (nodes > Group.MOST_NODES) amiss([], `a cluster has at most ${Group.MOST_NODES} hosts; these are ${nodes}`);
  });
export type Create = z.infer<typeof Create>;

function problemsOf({ name, runs, run, setup }: Task): [field: string, message: string][] {
  return [
    ...(name === undefined ? [["name", "a task of a job group has a name"] as [string, string]] : []),
    ...(runs === undefined ? [] : [["runs", "a task of a job group is one run"] as [string, string]]),
    ...((run ?? setup) ? [] : [["run", "give a script in run (or setup)"] as [string, string]]),
  ];
}

/** What became of the request: all of it, at once. */
export const Launched = z.object({
  group: Info,
  cluster: Cluster.Info,
  jobs: z.array(Job.Info).meta({ description: "In the order of its tasks" }),
});
export type Launched = z.infer<typeof Launched>;
