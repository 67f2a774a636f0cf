/** What must hold of secrets: they are there while their job may need them, and not for long after that. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import { LEFT_AFTER } from "@muster/core/secret/sweep.ts";
import { SWEEP_SECRETS } from "../control.ts";
import type { Sim } from "../sim.ts";
import { arrayOf } from "./arrays.ts";

/** The value that every secret of a run has: it may stand nowhere else. */
export const CANARY = "a secret of this run";

/** I19: a job that may still begin has its secrets, and no item of the table has them. */
export function watchSecrets(sim: Sim): void {
  sim.db.observers.push((process, written) => {
    for (const { after, text } of written) {
      if (after === undefined) continue;
      if (text.includes(CANARY)) sim.violate("I19", `${process.name} wrote a secret to ${after.pk}`);
      checks[after.type]?.(sim, after.data as never);
    }
  });
}

function checkThere(sim: Sim, job: Job.Job): void {
  if ("failure" in job && job.failure?.code === "secrets_lost") sim.violate("I19", `job ${job.id} lost its secrets`);
  // Those of an array are kept once, for all its runs.
  const ref = { workspace: job.workspace, owner: job.array?.id ?? job.id };
  if (job.hasSecrets && !Job.isOver(job) && sim.secrets.get(ref) === undefined)
    sim.violate("I19", `job ${job.id} is ${job.state} without its secrets`);
}

function checkKept(sim: Sim, array: JobArray.JobArray): void {
  const ref = { workspace: array.workspace, owner: array.id };
  if (array.hasSecrets && !JobArray.isOver(array) && sim.secrets.get(ref) === undefined)
    sim.violate("I19", `array ${array.id} is ${array.state} without its secrets`);
}

const checks: Readonly<Record<string, (sim: Sim, record: never) => void>> = { job: checkThere, array: checkKept };

/** How long secrets may stay that no job needs, in ms: until they are old enough, and a sweep that may come late. */
export const LONGEST_LEFT = LEFT_AFTER + 2 * SWEEP_SECRETS;

/** Secrets that no job needs. */
export function left(sim: Sim): string[] {
  return [...sim.secrets.all()].flatMap(({ ref }) => {
    const job = sim.db.get(Keys.job(ref.workspace, ref.owner))?.data as unknown as Job.Job | undefined;
    if (job !== undefined && !Job.isOver(job)) return [];
    const array = arrayOf(sim, ref.workspace, ref.owner);
    if (array !== undefined && !JobArray.isOver(array)) return [];
    return `the secrets of ${ref.owner} stay; the job is ${(job ?? array)?.state ?? "unknown"}`;
  });
}
