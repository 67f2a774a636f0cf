/** The queue of a cluster: an item for each job that waits, and one for each array of which a run may begin. */
import * as z from "zod";
import { Need } from "../cluster/need.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type * as Job from "./job.ts";

export const Queued = z.object({
  jobId: z.string(),
  nodes: z.number().int(),
  priority: z.number().int(),
  /** Absent: whole hosts. */
  needs: z.array(Need).optional(),
  /** Name of the group of hosts that it runs on; absent: any. */
  group: z.string().optional(),
  /** It takes nothing, of exactly these hosts of the cluster. */
  ranks: z.array(z.number().int()).optional(),
  /** It stands for the next run of an array of this id. */
  array: z.literal(true).optional(),
});
export type Queued = z.infer<typeof Queued>;

/** What has a place in a queue, or may have one. */
export type Waiting = Pick<
  Job.Job,
  "workspace" | "clusterId" | "priority" | "id" | "nodes" | "needs" | "group" | "exec"
>;

/** The job's place in its cluster's queue. */
export const enqueue = (job: Waiting, array?: true): Write => ({
  put: {
    ...queueKey(job),
    type: "queued",
    data: Queued.parse({ ...job, jobId: job.id, array, ranks: job.exec?.ranks }),
  },
  expect: "absent",
});

export const queueKey = (job: Pick<Waiting, "workspace" | "clusterId" | "priority" | "id" | "exec">) =>
  Keys.queued(job.workspace, job.clusterId, job.exec === undefined ? job.priority : "first", job.id);
