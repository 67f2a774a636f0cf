/** What must hold of jobs that wait and of schedules, with every commit. */
import * as JobArray from "@muster/core/array/array.ts";
import type { Event } from "@muster/core/event/event.ts";
import type * as Job from "@muster/core/job/job.ts";
import { queueKey } from "@muster/core/job/queue.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

export function watchOrder(sim: Sim): void {
  const launched = new Set<string>();
  sim.db.observers.push((_, written) => {
    checkHeld(sim, written);
    for (const { after } of written) {
      if (after?.type === "job") checkPlace(sim, after.data as unknown as Job.Job);
      if (after?.type === "array") checkArray(sim, after.data as unknown as JobArray.JobArray);
      if (after?.type === "event") checkOnce(sim, launched, after.data as unknown as Event);
    }
  });
}

/** I23: what somebody holds begins when somebody says so, and not by itself. */
function checkHeld(sim: Sim, written: readonly Written[]): void {
  const begun = written.filter(({ before, after }) => before?.data.held === true && after?.data.state === "queued");
  for (const { after: job } of begun) {
    const event = written.find(({ after }) => after?.type === "event" && after.data.subject === job?.data.id)?.after;
    if (!String(event?.data.actor).startsWith("usr_"))
      sim.violate("I23", `job ${job?.data.id} was held, and is queued by itself`);
  }
}

/** I23: a job waits in one place: among those that are not queued yet, or in the queue. */
function checkPlace(sim: Sim, job: Job.Job): void {
  const isParked = sim.db.get(Keys.waiting(job.workspace, job.clusterId, job.id)) !== undefined;
  if (isParked !== (job.state === "waiting"))
    sim.violate("I23", `job ${job.id} is ${job.state}, and ${isParked ? "" : "not "}among those that wait`);
  if (job.state === "queued" && sim.db.get(queueKey(job)) === undefined)
    sim.violate("I23", `job ${job.id} is queued, and has no place in the queue`);
}

/** I23: an array has waited before it became one, and has a place in the queue while a run of it may begin. */
function checkArray(sim: Sim, array: JobArray.JobArray): void {
  if (sim.db.get(Keys.waiting(array.workspace, array.clusterId, array.id)) !== undefined)
    sim.violate("I23", `array ${array.id} is ${array.state}, and among those that wait`);
  const isQueued = sim.db.get(queueKey(array)) !== undefined;
  if (isQueued !== JobArray.isClaimable(array))
    sim.violate("I23", `array ${array.id} is ${array.state}, and has ${isQueued ? "a" : "no"} place in the queue`);
}

/** I24: each time of a schedule launches once, and is one that its line names. */
function checkOnce(sim: Sim, launched: Set<string>, { kind, subject, details }: Event): void {
  if (kind !== "schedule.launched") return;
  const time = Number(details?.time);
  if (launched.has(`${subject} ${time}`)) sim.violate("I24", `schedule ${subject} launched twice for ${time}`);
  launched.add(`${subject} ${time}`);
  if (time % 60_000 !== 0) sim.violate("I24", `schedule ${subject} launched for ${time}, which is no minute`);
}

/** Whether the job waits with good reason: it is held, or another has not ended. */
export const isWaitingRightly = (sim: Sim, job: Job.Waiting): boolean =>
  job.held === true || (job.after ?? []).some(one => isOpen(sim, job.workspace, one.job));

function isOpen(sim: Sim, workspace: string, id: string): boolean {
  const other = (sim.db.get(Keys.job(workspace, id)) ?? sim.db.get(Keys.array(workspace, id)))?.data;
  return other !== undefined && !("endedAt" in other);
}
