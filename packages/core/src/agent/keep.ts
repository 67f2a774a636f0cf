/** What a host may write of a job's outputs and checkpoint: below a place of its own, and for some time. */
import * as Checkpoint from "../checkpoint/checkpoint.ts";
import { prune } from "../checkpoint/prune.ts";
import type * as Job from "../job/job.ts";
import * as Output from "../output/output.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock, Log } from "../ports/ports.ts";
import type { Task } from "../task/task.ts";
import type { Assignment, Held, HeldRef, LogPolicy } from "./protocol.ts";

type Part = { readonly blobs: Blobs; readonly clock: Clock; readonly log: Log };

const GRANT = 3_600_000;

const policy = ({ blobs, clock }: Omit<Part, "log">, prefix: string): Promise<LogPolicy> =>
  blobs.postPolicy({ prefix, maxBytes: Output.MAX_BLOB, expiresAt: clock.now() + GRANT });

const outputs = (world: Part, { workspace, id, fence }: Job.Placed, rank: number): Promise<LogPolicy> =>
  policy(world, Output.prefixOf(workspace, id, fence, rank));

const checkpoint = (world: Part, { workspace, id, fence }: Job.Placed, rank: number): Promise<LogPolicy> =>
  policy(world, Checkpoint.prefixOf(workspace, id, fence, rank));

/** What the task wants kept, as its host is told. */
export async function keeping(
  world: Part,
  job: Job.Placed,
  task: Pick<Task, "outputs" | "checkpoint">,
  rank: number,
): Promise<Pick<Assignment, "outputs" | "checkpoint">> {
  const { outputs: places, checkpoint: path } = task;
  return {
    ...(places && { outputs: { places, policy: await outputs(world, job, rank) } }),
    ...(path !== undefined && { checkpoint: { path, ...(await restored(world, job, rank)) } }),
  };
}

async function restored(world: Part, job: Job.Placed, rank: number) {
  const root = Checkpoint.rootOf(job.workspace, job.id, rank);
  const [last] = await Checkpoint.newest(world.blobs, root, 1, job.fence);
  return { policy: await checkpoint(world, job, rank), ...(last && { last }) };
}

/** The grants that a host asks for; and what its news of a checkpoint makes superfluous goes. */
export async function renewed(
  world: Part,
  job: Job.Placed,
  rank: number,
  { wants = [], sent }: Pick<HeldRef, "wants" | "sent">,
): Promise<Pick<Held, "outputs" | "checkpoint">> {
  if (sent !== undefined) await tidy(world, job, rank);
  return {
    ...(wants.includes("outputs") && { outputs: await outputs(world, job, rank) }),
    ...(wants.includes("checkpoint") && { checkpoint: await checkpoint(world, job, rank) }),
  };
}

/** What stays costs money, and no job its order. */
async function tidy(world: Part, job: Job.Placed, rank: number): Promise<void> {
  try {
    await prune(world.blobs, Checkpoint.rootOf(job.workspace, job.id, rank));
  } catch (error) {
    world.log.error("a checkpoint was not tidied", { jobId: job.id, rank, reason: String(error) });
  }
}
