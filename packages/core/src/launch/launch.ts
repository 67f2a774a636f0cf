/** Launches: create or reuse a cluster, then run a job on it, in one transaction. */
import * as z from "zod";
import * as Cluster from "../cluster/cluster.ts";
import * as Group from "../cluster/group.ts";
import { Idle } from "../cluster/idle.ts";
import * as Job from "../job/job.ts";
import { Labels, Name, Task } from "../task/task.ts";

export const Create = z
  .strictObject({
    task: Task,
    /** Cluster to use or create. Absent: a new one with a name made up for it, which terminates when idle. */
    cluster: Name.optional(),
    groups: Group.Groups.optional().meta({
      description:
        "The cluster's hosts, of several kinds. Absent: hosts of one kind, by the task's nodes and resources. With groups " +
        "the task's nodes are those of its job alone, and its resources are empty",
    }),
    target: Name.optional().meta({
      description: "Name of a target: its provider stands over the task's, and it fills in what the task leaves open",
    }),
    pool: Name.optional().meta({
      description:
        "Name of a pool to take the cluster from, where the cluster that is named is not there; its machines are the pool's",
    }),
    idle: Idle.optional(),
    maxLifetime: Cluster.Create.shape.maxLifetime,
    shared: z.boolean().default(false),
    priority: Job.Submit.shape.priority,
    group: Job.Submit.shape.group.meta({
      description: "The group of the cluster's hosts that its job runs on; absent: any that takes jobs",
    }),
    after: Job.Submit.shape.after,
    hold: Job.Submit.shape.hold,
    force: Job.Submit.shape.force,
    onBusy: Job.Submit.shape.onBusy,
    maxConcurrentJobs: Cluster.Create.shape.maxConcurrentJobs,
    /** Tear the cluster down when the job has ended. */
    down: z.boolean().default(false),
    managed: z.boolean().optional().meta({
      description: "A cluster for this job alone, which ends with it and is made anew when its machines are lost",
    }),
  })
  .superRefine(({ task, managed }, context) => {
    if (!managed) return;
    const amiss = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (task.run === undefined && task.setup === undefined) amiss(["managed"], "the task has nothing to run");
    if (task.runs !== undefined) amiss(["task", "runs"], "a managed job is one run");
  })
  .superRefine(({ pool, managed, target }, context) => {
    if (pool === undefined) return;
    const amiss = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (managed)
      amiss("managed", "a managed job has a cluster of its own from the beginning, and takes none from a pool");
    if (target !== undefined) amiss("target", "is said by the pool: where its machines are");
  })
  .superRefine(({ task, after, hold }, context) => {
    if (task.run !== undefined || task.setup !== undefined) return;
    const amiss = (field: "after" | "hold") =>
      context.addIssue({ code: "custom", path: [field], message: "the task has nothing to run that could wait" });
    if (after !== undefined) amiss("after");
    if (hold) amiss("hold");
  })
  .superRefine(({ task, group }, context) => {
    if (group === undefined || task.run !== undefined || task.setup !== undefined) return;
    context.addIssue({ code: "custom", path: ["group"], message: "the task has nothing to run there" });
  })
  .superRefine(({ task, groups }, context) => {
    if (groups === undefined) return;
    const amiss = (field: "resources" | "nodes", message: string) =>
      context.addIssue({ code: "custom", path: ["task", field], message });
    if (Object.keys(task.resources).length > 0) amiss("resources", "each of the groups says its own resources");
    const wide = Group.tooWide(groups, task.nodes);
    if (wide !== undefined) amiss("nodes", wide);
  });
export type Create = z.infer<typeof Create>;

/** What may be said of a job that is run once more. */
export const Rerun = z.strictObject({
  cluster: Name.optional().meta({ description: "Cluster to use or create; absent: the job's own, or one like it" }),
  priority: Job.Submit.shape.priority.removeDefault().optional().meta({ description: "Absent: as before" }),
  secrets: Task.shape.secrets
    .removeDefault()
    .optional()
    .meta({ description: "The job's secrets, which are not kept when it has ended" }),
  secretFiles: Task.shape.secretFiles.removeDefault().optional(),
  labels: Labels.optional().meta({ description: "Over those that the job has" }),
});
export type Rerun = z.infer<typeof Rerun>;

/** The pool that a launch asked for. */
export const From = z.object({
  name: z.string(),
  ready: z
    .boolean()
    .meta({ description: "Whether a cluster stood ready there; else it is still being prepared, or made" }),
});
export type From = z.infer<typeof From>;

export const Info = z.object({
  cluster: Cluster.Info,
  job: Job.Info.optional().meta({ description: "Absent when the task has nothing to run" }),
  /** Whether the cluster was there already. */
  reused: z.boolean(),
  pool: From.optional().meta({ description: "The pool that it was to come from" }),
});
export type Info = z.infer<typeof Info>;

/** Machines that would do, but that the account may not have as things stand. */
export const Barred = z.object({
  instanceType: z.string(),
  market: z.enum(["on_demand", "spot", "none"]),
  reason: z.string(),
  link: z.string().optional().meta({ description: "Where to ask for it" }),
});

/** An offer as a plan shows it: with what is not kept with a cluster. */
const Planned = Cluster.Offer.extend({
  localDisk: z.number().optional().meta({ description: "GB of local disks per host, which a stop empties" }),
});

/** What a group of the cluster would be made of; of a cluster that is there, what it is made of. */
const PlannedGroup = z.object({
  name: z.string(),
  nodes: z.number().int(),
  schedulable: z.boolean().meta({ description: "Whether jobs run on its hosts" }),
  offers: z.array(Planned.partial({ market: true })).meta({
    description:
      "In the order they would be tried. Of machines that are there the one that was taken; none until it is",
  }),
  barred: z.array(Barred).optional(),
});
export type PlannedGroup = z.infer<typeof PlannedGroup>;

/** What a launch would do. */
export const Plan = z.object({
  cluster: z.string().optional().meta({ description: "Name; absent when one would be made up" }),
  reused: z.boolean(),
  pool: From.optional().meta({ description: "The pool that it would come from" }),
  provider: z.string(),
  nodes: z.number().int().meta({ description: "Hosts, in all groups" }),
  idle: Idle,
  groups: z.array(PlannedGroup),
  grows: z.array(PlannedGroup).optional().meta({ description: "Hosts that a cluster which is there gets in addition" }),
  offers: z.array(Planned).meta({
    description: "Those of the group; empty where there are several, which have their own",
  }),
  barred: z.array(Barred).optional().meta({ description: "Of all groups" }),
  notices: z.array(z.string()).meta({ description: "What else is to be known before it is launched: sentences" }),
});
export type Plan = z.infer<typeof Plan>;
