/** Launches: create or reuse a cluster, then run a job on it, in one transaction. */
import * as z from "zod";
import * as Cluster from "../cluster/cluster.ts";
import { Idle } from "../cluster/idle.ts";
import * as Job from "../job/job.ts";
import { Name, Task } from "../task/task.ts";

export const Create = z.strictObject({
  task: Task,
  /** Cluster to use or create. Absent: a new one with a name made up for it, which terminates when idle. */
  cluster: Name.optional(),
  idle: Idle.optional(),
  maxLifetime: Cluster.Create.shape.maxLifetime,
  shared: z.boolean().default(false),
  priority: Job.Submit.shape.priority,
  /** Tear the cluster down when the job has ended. */
  down: z.boolean().default(false),
});
export type Create = z.infer<typeof Create>;

export const Info = z.object({
  cluster: Cluster.Info,
  job: Job.Info.optional().meta({ description: "Absent when the task has nothing to run" }),
  /** Whether the cluster was there already. */
  reused: z.boolean(),
});
export type Info = z.infer<typeof Info>;

/** Machines that would do, but that the account may not have as things stand. */
export const Barred = z.object({
  instanceType: z.string(),
  market: z.enum(["on_demand", "spot", "none"]),
  reason: z.string(),
  link: z.string().optional().meta({ description: "Where to ask for it" }),
});

/** What a launch would do. */
export const Plan = z.object({
  cluster: z.string().optional().meta({ description: "Name; absent when one would be made up" }),
  reused: z.boolean(),
  provider: z.string(),
  nodes: z.number().int(),
  idle: Idle,
  offers: z.array(Cluster.Offer).meta({ description: "In the order they would be tried" }),
  barred: z.array(Barred).optional(),
});
export type Plan = z.infer<typeof Plan>;
