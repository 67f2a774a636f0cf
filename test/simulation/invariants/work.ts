/** How long what was accepted may still run, when nothing goes wrong any more. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Job from "@muster/core/job/job.ts";
import { pauseOf } from "@muster/core/job/retry.ts";
import type { RetryCause } from "@muster/core/task/retry.ts";
import { LONGEST_RUN } from "../host/workload.ts";
import { MINUTE } from "../kernel.ts";
import type { Sim } from "../sim.ts";

/** What a try takes beside its script, in ms: to be seen, its inputs, its end, its log. */
const AROUND = 2 * MINUTE;

/** What scripts do by themselves, again with every try. */
const OWN: readonly RetryCause[] = ["exit_code", "timeout"];

type Tried = Pick<Job.Job, "retry" | "timeout">;

/** ms that all scripts take together, one after the other: jobs may wait for each other, and there may be one host for all. */
export function workLeft(sim: Sim): number {
  const jobs = [...sim.db.all("job")].map(item => item.data as unknown as Job.Job);
  const arrays = [...sim.db.all("array")].map(item => item.data as unknown as JobArray.JobArray);
  const times = [
    ...jobs.filter(job => !Job.isOver(job)).map(job => timeOf(job, triesOf(job)) * (job.many?.count ?? 1)),
    ...arrays.filter(array => !JobArray.isOver(array)).map(array => timeOf(array, 0) * JobArray.rest(array)),
  ];
  return times.reduce((sum, time) => sum + time, 0);
}

/** How many tries have ended. */
const triesOf = (job: Job.Job): number => Math.max(0, job.attempts - (Job.isPlaced(job) ? 1 : 0));

/** What its tries take that are left, and the pauses between them, in ms. */
function timeOf({ retry, timeout = Infinity }: Tried, ended: number): number {
  const one = Math.min(timeout * 1000, LONGEST_RUN) + AROUND;
  const again = retry?.on.some(cause => OWN.includes(cause)) ? retry.max : 0;
  const pauses = Array.from({ length: Math.max(0, again - ended) }, (_, index) =>
    pauseOf((retry?.backoff ?? 0) * 1000, ended + index),
  );
  return pauses.reduce((sum, pause) => sum + pause + one, one);
}
