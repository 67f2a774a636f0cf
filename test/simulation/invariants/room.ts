/** I25: nobody is promised what another has: counted here anew, by what each job asked for and what its host was sold as. */
import type { Slot, Slots } from "@muster/core/cluster/slots.ts";
import type * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Sim } from "../sim.ts";
import { clusterOf } from "./cluster-of.ts";

export function checkRoom(sim: Sim, slots: Slots, slot: Slot): void {
  const { runs, rank } = slot;
  const tell = (what: string) => sim.violate("I25", `host ${rank} of ${slots.clusterId}: ${what}`);
  const { maxConcurrentJobs = Number.POSITIVE_INFINITY } = clusterOf(sim, slots) ?? {};
  if (runs.length > maxConcurrentJobs) tell(`${runs.length} jobs run there; ${maxConcurrentJobs} may`);
  if (runs.length > 1 && runs.some(run => run.whole)) tell("a job that has the whole host is not alone");
  const taken = runs.flatMap(run => run.gpus ?? []);
  if (new Set(taken).size < taken.length) tell(`GPUs ${taken} are given twice`);
  if (taken.some(index => index >= slot.gpus)) tell(`of ${slot.gpus} GPUs ${taken} are given`);
  for (const what of ["cpus", "memory"] as const) {
    const sum = runs.reduce((total, run) => total + (run[what] ?? 0), 0);
    if (sum > slot[what] + 1e-6) tell(`${sum} of its ${slot[what]} ${what} are given`);
  }
  if (new Set(runs.map(run => run.jobId)).size < runs.length) tell("a job has two parts of it");
  for (const run of runs) checkPart(sim, slots, run, tell);
}

/** What a job has of its host is one of the things that it asked for. */
function checkPart(sim: Sim, slots: Slots, run: Slot["runs"][number], tell: (what: string) => void): void {
  const job = sim.db.get(Keys.job(slots.workspace, run.jobId))?.data as unknown as Job.Job | undefined;
  if (job === undefined) return;
  const isAsked =
    job.needs === undefined
      ? run.whole === true
      : job.needs.some(
          need =>
            (need.gpus ?? 0) === (run.gpus?.length ?? 0) &&
            need.cpus === run.cpus &&
            need.memory === run.memory &&
            !run.whole,
        );
  if (!isAsked) tell(`job ${run.jobId} has ${JSON.stringify(run)}; it asked for ${JSON.stringify(job.needs)}`);
}
