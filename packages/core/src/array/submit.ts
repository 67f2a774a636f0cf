/** A new array: its record, its task, and its place in the queue; no more than one job would be, however many runs it has. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Job from "../job/job.ts";
import { enqueue } from "../job/queue.ts";
import { submission } from "../job/submission.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { begin, insert, type Stored } from "../record.ts";
import { countOf, type Runs } from "../task/sweep.ts";
import type { Task } from "../task/task.ts";
import * as JobArray from "./array.ts";

/** How many runs a task has, and how many at a time; undefined for one that runs once. @throws MusterError `invalid_request` */
export function manyOf(task: Task): NonNullable<Job.Job["many"]> | undefined {
  const { runs } = task;
  if (runs === undefined) return undefined;
  requireOwnNames(task, runs);
  const { concurrent } = runs;
  return { count: countOf(runs), ...(concurrent !== undefined && { concurrent }) };
}

/** An array in the place of the one job that its task would be without its runs. */
export function blueprint(
  actor: Actor,
  job: Extract<Job.Job, { state: "queued" }>,
  task: Task,
  many: NonNullable<Job.Job["many"]>,
): { info: Job.Info; writes: readonly Write[] } {
  requireUnmanaged(job);
  const array = JobArray.fromJob(job, many.count, many.concurrent);
  const event = submission(array, "array", JobArray.noun.key(array), actor, task);
  return { info: JobArray.info(array), writes: [insert(JobArray.noun, array), event, enqueue(array, true)] };
}

/** What makes an array of a job that has waited to become one. @param next the job, as it stands in the queue */
export function becoming(
  world: Pick<Basics, "random">,
  actor: { readonly id: string },
  job: Stored<Job.Job>,
  next: Job.Job,
  message: string,
): Write[] {
  if (next.state !== "queued") return [];
  const { count = 1, concurrent } = next.many ?? {};
  const array = JobArray.fromJob({ ...next, createdAt: next.changedAt }, count, concurrent);
  const left: Write = { remove: Job.noun.key(job), expect: job.version };
  return [
    left,
    ...begin(world, JobArray.noun, actor, { ...array, createdAt: next.createdAt }, { message }),
    enqueue(array, true),
  ];
}

/** A managed cluster is made anew for one job, which says how often. */
function requireUnmanaged({ managed }: Job.Job): void {
  if (!managed) return;
  const message = "a managed launch is of one job, and this task has many runs";
  throw new MusterError("invalid_request", message, {
    issues: [{ path: "managed", message }],
    hint: "leave it out; runs whose hosts are lost are tried again with retry, while their cluster lasts",
  });
}

/** A value that a secret stands over would never be read. */
function requireOwnNames({ secrets, storedSecrets }: Task, { sweep }: Runs): void {
  const taken = Object.keys(sweep?.params ?? {}).filter(
    name => Object.hasOwn(secrets, name) || storedSecrets.includes(name),
  );
  if (taken.length === 0) return;
  const issues = taken.map(name => ({ path: `task.runs.sweep.params.${name}`, message: "a secret has this name" }));
  throw new MusterError("invalid_request", `${taken.join(", ")}: a parameter and a secret need names of their own`, {
    issues,
  });
}
