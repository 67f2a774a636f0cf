/** I30: an array counts its runs as they are, with every commit, and lets no more of them go on than it may. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Id from "@muster/core/id.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

export function watchArrays(sim: Sim): void {
  sim.db.observers.push((_, written) => {
    const ids = new Set<string>();
    for (const { key, after } of written) {
      const id = after?.type === "array" ? after.data.id : (after?.data.array as { id: string } | undefined)?.id;
      if (typeof id === "string") ids.add(`${key.pk.split("#")[1]} ${id}`);
    }
    for (const name of ids) {
      const [workspace = "", id = ""] = name.split(" ");
      checkCounts(sim, workspace, id);
    }
  });
}

/** I2: nothing vanishes; a job that waited to become an array is that array from the same commit on. */
export function checkGone(sim: Sim, type: string, gone: Written["before"], written: readonly Written[]): void {
  const was = gone?.data as Pick<Job.Job, "id" | "state" | "many"> | undefined;
  const array = written.find(one => one.before === undefined && one.after?.type === "array")?.after?.data;
  const many = type === "job" && was?.state === "waiting" ? was.many : undefined;
  if (many === undefined || array?.id !== was?.id || array?.count !== many.count)
    sim.violate("I2", `${type} ${was?.id} vanished`);
}

export const arrayOf = (sim: Sim, workspace: string, id: string): JobArray.JobArray | undefined =>
  sim.db.get(Keys.array(workspace, id))?.data as unknown as JobArray.JobArray | undefined;

/** What has a job's id is a job, or many of them, or one of these: that may end without ever having had a record. */
export function isKnown(sim: Sim, workspace: string, id: string): boolean {
  const array = Id.partsOfRun(id)?.array ?? id;
  return (sim.db.get(Keys.job(workspace, id)) ?? sim.db.get(Keys.array(workspace, array))) !== undefined;
}

const runsOf = (sim: Sim, id: string): Job.Job[] =>
  [...sim.db.all("job")].map(item => item.data as unknown as Job.Job).filter(job => job.array?.id === id);

function checkCounts(sim: Sim, workspace: string, id: string): void {
  const array = arrayOf(sim, workspace, id);
  const runs = runsOf(sim, id);
  if (array === undefined) {
    sim.violate("I30", `${runs.length} runs are there, and their array ${id} is not`);
    return;
  }
  const tell = (what: string) => sim.violate("I30", `array ${id} is ${array.state}: ${what}`);
  const { count, running, succeeded, failed, cancelled, timedOut } = array;
  const among = (state: Job.State) => runs.filter(run => run.state === state).length;
  const goingOn = runs.filter(run => !Job.isOver(run)).length;
  if (goingOn !== running) tell(`${goingOn} of its runs go on; it counts ${running}`);
  if (among("succeeded") !== succeeded) tell(`${among("succeeded")} of its runs succeeded; it counts ${succeeded}`);
  // Those that never began have no record, and end with their array.
  if (among("failed") > failed || among("cancelled") > cancelled || among("timed_out") > timedOut)
    tell(`more of its runs have ended than it counts: ${JSON.stringify(array)}`);
  const sum = running + succeeded + failed + cancelled + timedOut + JobArray.rest(array);
  if (sum !== count) tell(`it has ${count} runs, and counts ${sum}`);
  if (running > (array.concurrent ?? count)) tell(`${running} of its runs go on; ${array.concurrent} may`);
  if (JobArray.isOver(array) !== (running === 0 && JobArray.rest(array) === 0))
    tell(`${running} of its runs go on, and ${JobArray.rest(array)} are still to begin`);
}
