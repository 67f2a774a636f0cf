/** What must hold of secrets: they are there while their job may need them, and not for long after that. */
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import { LEFT_AFTER } from "@muster/core/secret/sweep.ts";
import { SWEEP_SECRETS } from "../control.ts";
import type { Sim } from "../sim.ts";

/** The value that every secret of a run has: it may stand nowhere else. */
export const CANARY = "a secret of this run";

/** I19: a job that may still begin has its secrets, and no item of the table has them. */
export function watchSecrets(sim: Sim): void {
  sim.db.observers.push((process, written) => {
    for (const { after } of written) {
      if (after === undefined) continue;
      if (JSON.stringify(after).includes(CANARY)) sim.violate("I19", `${process.name} wrote a secret to ${after.pk}`);
      if (after.type === "job") checkThere(sim, after.data as unknown as Job.Job);
    }
  });
}

function checkThere(sim: Sim, job: Job.Job): void {
  if ("failure" in job && job.failure?.code === "secrets_lost") sim.violate("I19", `job ${job.id} lost its secrets`);
  const ref = { workspace: job.workspace, owner: job.id };
  if (job.hasSecrets && !Job.isOver(job) && sim.secrets.get(ref) === undefined)
    sim.violate("I19", `job ${job.id} is ${job.state} without its secrets`);
}

/** How long secrets may stay that no job needs, in ms: until they are old enough, and a sweep that may come late. */
export const LONGEST_LEFT = LEFT_AFTER + 2 * SWEEP_SECRETS;

/** Secrets that no job needs. */
export function left(sim: Sim): string[] {
  return [...sim.secrets.all()].flatMap(({ ref }) => {
    const job = sim.db.get(Keys.job(ref.workspace, ref.owner))?.data as unknown as Job.Job | undefined;
    if (job !== undefined && !Job.isOver(job)) return [];
    return `the secrets of ${ref.owner} stay; the job is ${job?.state ?? "unknown"}`;
  });
}
