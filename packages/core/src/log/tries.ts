/** The tries of a job, by their numbers from 1. */
import * as Attempt from "../attempt/attempt.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { read } from "../record.ts";

type Part = { readonly table: Table };

/** Of the try that has, or last had, the job's hosts; absent while it waits for some. */
export const fenceNow = (job: Job.Job): number | undefined => ("fence" in job ? job.fence : undefined);

/** The fence of one of its tries; undefined when there is, or was, no such try. */
export async function fenceOf(world: Part, job: Job.Job, attempt: number): Promise<number | undefined> {
  const now = fenceNow(job);
  if (attempt > job.attempts || attempt < 1) return undefined;
  if (attempt === job.attempts && now !== undefined) return now;
  // Every node of a try that is over has left a row behind, and fences only grow.
  const newest = now === undefined ? job.attempts : job.attempts - 1;
  const steps = { left: newest - attempt, below: now };
  for (;;) {
    const fence = await lastFence(world, job, steps.below);
    if (fence === undefined || steps.left === 0) return fence;
    Object.assign(steps, { left: steps.left - 1, below: fence });
  }
}

async function lastFence(world: Part, job: Job.Job, below: number | undefined): Promise<number | undefined> {
  const upTo = below === undefined ? "A#~" : `${Keys.attemptPrefix(Math.max(0, below - 1))}~`;
  const { pk } = Keys.job(job.workspace, job.id);
  const page = await world.table.query({ pk, prefix: "A#", upTo, order: "descending", limit: 1 });
  const [row] = page.items;
  return row && read(Attempt.noun, row).fence;
}
