/** How long a job may stand in its cluster's queue, and when somebody looks at it there. */
import type * as Job from "./job.ts";

/** How long a queued job may go unseen by anybody, in ms: a backstop behind the doorbell, polls and the cluster's deadline. */
export const QUEUE_CHECK = 3_600_000;

/** Until when a job may wait that stands in the queue from `now` on. */
export const startByOf = (queueTimeout: number | undefined, now: number): { readonly startBy?: number } =>
  queueTimeout === undefined ? {} : { startBy: now + queueTimeout * 1000 };

type Timed = Pick<Job.Job, "startBy" | "attempts">;

/** Epoch ms at which a queued job is to be looked at. */
export const lookAt = (job: Timed, now: number): number =>
  Math.min(
    now + QUEUE_CHECK,
    job.attempts === 0 ? (job.startBy ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
  );

/** Whether it should have begun by now, and never has. */
export const isTooLate = (job: Timed, now: number): boolean =>
  job.attempts === 0 && job.startBy !== undefined && job.startBy <= now;
