/** A new array: its record, its task, and its place in the queue; no more than one job would be, however many runs it has. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import type * as Job from "../job/job.ts";
import { enqueue } from "../job/queue.ts";
import { submission } from "../job/submission.ts";
import type { Write } from "../ports/table.ts";
import { insert } from "../record.ts";
import { countOf, type Runs } from "../task/sweep.ts";
import type { Task } from "../task/task.ts";
import * as JobArray from "./array.ts";

/**
 * @param job the one job that the task would be without its runs
 * @throws MusterError `invalid_request` when it is to wait: only one that is queued at once can be an array
 */
export function blueprint(
  actor: Actor,
  job: Job.Job,
  task: Task,
  runs: Runs,
): { info: Job.Info; writes: readonly Write[] } {
  if (job.state !== "queued") throw cannotWait(job);
  requireOwnNames(task, runs);
  const array = JobArray.fromJob(job, countOf(runs), runs.concurrent);
  const event = submission(array, "array", JobArray.noun.key(array), actor, task);
  return { info: JobArray.info(array), writes: [insert(JobArray.noun, array), event, enqueue(array, true)] };
}

function cannotWait(job: Job.Job): MusterError {
  const path = "after" in job && job.after ? "after" : "hold";
  const message = "many runs of a task cannot wait yet: submit them when what they wait for has ended";
  return new MusterError("invalid_request", message, { issues: [{ path, message }] });
}

/** A value that a secret stands over would never be read. */
function requireOwnNames({ secrets, storedSecrets }: Task, { sweep }: Runs): void {
  const taken = Object.keys(sweep?.params ?? {}).filter(name => name in secrets || storedSecrets.includes(name));
  if (taken.length === 0) return;
  const issues = taken.map(name => ({ path: `task.runs.sweep.params.${name}`, message: "a secret has this name" }));
  throw new MusterError("invalid_request", `${taken.join(", ")}: a parameter and a secret need names of their own`, {
    issues,
  });
}
