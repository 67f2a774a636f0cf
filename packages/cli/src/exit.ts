/**
 * Exit codes. A job's own code passes through; 120 to 125 are Muster's own failures, one per class (core's error table).
 *
 * | code | what |
 * |---|---|
 * | 0–255 | the job's own exit code |
 * | 120 | the request or the task file is not valid, or not supported; also a job whose container or inputs could not be had |
 * | 121 | not signed in, or not allowed |
 * | 122 | no such cluster or job |
 * | 123 | it cannot do that now: in conflict with its state or a name that is taken; also an `uninstall` that left clusters, and a job that waited in vain |
 * | 124 | no machine could be had or kept; also a job that ran, or waited, past its timeout, as `timeout(1)` answers |
 * | 125 | Muster itself failed, or cannot be reached; also a `doctor` that found something wrong |
 * | 130 | Ctrl-C, or the job was cancelled |
 * | 143 | SIGTERM |
 */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { errors, isCode } from "@muster/core/error.ts";
import type * as Job from "@muster/core/job/job.ts";

export const INTERRUPTED = 130;
export const TERMINATED = 143;
const TIMED_OUT = 124;
export const BROKEN_PIPE = 141;

/** Causes of a failed job that say the machine was at fault, not the job. */
const MACHINE_CAUSES = new Set([
  "host_lost",
  "hosts_lost",
  "machines_lost",
  "boot_timeout",
  "start_failed",
  "interrupted",
  "gpus_missing",
  "no_such_gpu",
]);

/** Causes that say it could not begin, since what it waited for did not come. */
const WAITED_IN_VAIN = new Set(["dependency_failed", "cluster_ended"]);

/** Causes that say the task asks for what is not there, such as an image or a folder. */
const ASKED_AMISS = new Set(["container_failed", "inputs_failed"]);

const ofFailure = (code: string, otherwise: number): number => (isCode(code) ? errors[code].exit : otherwise);

/** The exit code of a command that waited for this job. */
export function ofJob(job: Pick<Job.Info, "state" | "exitCode" | "failure">): number {
  if (job.state === "succeeded") return 0;
  if (job.state === "cancelled") return INTERRUPTED;
  if (job.state === "timed_out") return TIMED_OUT;
  if (job.exitCode !== undefined && job.exitCode !== 0) return job.exitCode & 0xff;
  const cause = job.failure?.code ?? "internal";
  if (WAITED_IN_VAIN.has(cause)) return errors.conflict.exit;
  if (ASKED_AMISS.has(cause)) return errors.invalid_request.exit;
  return MACHINE_CAUSES.has(cause) ? errors.launch_failed.exit : ofFailure(cause, errors.internal.exit);
}

/** The exit code of a command whose cluster did not come up. */
export const ofCluster = (cluster: Pick<Cluster.Info, "failure">): number =>
  ofFailure(cluster.failure?.code ?? "launch_failed", errors.launch_failed.exit);
