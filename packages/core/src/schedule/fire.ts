/**
 * A schedule whose time has come. The launch and the schedule's step to its next time are one transaction: whoever is
 * stopped anywhere before it has done nothing, whoever comes second finds the schedule moved on. Times that nobody was
 * there for are one.
 */
import * as Actor from "../actor/actor.ts";
import { cancel } from "../array/control.ts";
import * as Cluster from "../cluster/cluster.ts";
import { byName } from "../cluster/find.ts";
import { isRetryable, MusterError } from "../error.ts";
import { outcomeOf } from "../job/outcome.ts";
import * as Keys from "../keys.ts";
import { create } from "../launch/create.ts";
import { edgeOf, inNameOf } from "../launch/in-name-of.ts";
import type * as Launch from "../launch/launch.ts";
import { storedLaunch } from "../launch/stored.ts";
import type { Write } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { amend, type Patch, type Stored } from "../record.ts";
import { nextTime } from "./next.ts";
import * as Schedule from "./schedule.ts";

type Stood = Stored<Schedule.Schedule>;

/** How soon a time that waits for the last job's end is looked at again, in ms. */
const LOOK = 60_000;

/** Somebody else has moved the schedule on meanwhile. */
class Moved extends Error {}

/** @throws MusterError when it is worth another try: the schedule stays due. */
export async function fire(world: World, ref: { readonly workspace: string; readonly name: string }): Promise<void> {
  const schedule = await Schedule.find(world.table, ref.workspace, ref.name);
  const now = world.clock.now();
  if (schedule === undefined || schedule.dueAt === undefined || schedule.dueAt > now) return;
  const time = schedule.owed ?? schedule.nextAt ?? now;
  const busy = await lastOne(world, schedule);
  if (busy !== undefined && schedule.overlap !== "replace")
    return leaveOut(world, schedule, time, `${busy} has not ended`);
  // The next waits behind it in the cluster's queue, or is on a cluster of its own.
  if (busy !== undefined) await cancel(world, Actor.system(schedule.workspace), busy);
  await attempt(world, schedule, time);
}

/** The id of the job of its last launch, when that has not ended. */
async function lastOne(world: World, { workspace, launched }: Stood): Promise<string | undefined> {
  const last = launched && (await outcomeOf(world.table, workspace, launched.jobId));
  return last === undefined || last.isOver ? undefined : launched?.jobId;
}

/** The last one goes on: this time is nobody's, or is kept for when it has ended. */
async function leaveOut(world: World, schedule: Stood, time: number, message: string): Promise<void> {
  if (schedule.overlap !== "skip") return owe(world, schedule, time, message);
  await note(world, schedule, { ...stepOf(world, schedule), last: { at: time, outcome: "skipped", message } });
}

/** The time is kept, and tried again soon. */
async function owe(world: World, schedule: Stood, time: number, message: string): Promise<void> {
  const now = world.clock.now();
  const step = stepOf(world, schedule);
  const dueAt = Math.min(now + LOOK, step.nextAt ?? now + LOOK);
  const waits = { ...step, dueAt, owed: time };
  // Told once; from then on it only looks.
  if (schedule.owed !== undefined) return world.table.write([amend(Schedule.noun, schedule, waits).write]);
  return note(world, schedule, { ...waits, last: { at: time, outcome: "queued", message } });
}

/** The next time after now: those that have gone by are one with this. */
function stepOf(world: World, schedule: Stood): { nextAt: number | undefined; dueAt: number | undefined } {
  const now = world.clock.now();
  const isPast = schedule.nextAt === undefined || schedule.nextAt <= now;
  const nextAt = isPast ? nextTime(schedule, now) : schedule.nextAt;
  return { nextAt, dueAt: nextAt };
}

async function note(
  world: World,
  schedule: Stood,
  patch: Patch<Schedule.Schedule> & { readonly last: Schedule.Last },
): Promise<void> {
  const { next, write } = amend<Schedule.Schedule>(Schedule.noun, schedule, patch);
  const { outcome, message } = patch.last;
  const event = Schedule.eventOf(world, Actor.system(schedule.workspace), next, outcome, {
    ...(message !== undefined && { message }),
    details: { time: patch.last.at },
  });
  await world.table.write([write, event]);
}

async function attempt(world: World, schedule: Stood, time: number): Promise<void> {
  try {
    const actor = await inNameOf(world, schedule, `schedule '${schedule.name}' launches`);
    const launch = await launchOf(world, schedule);
    await create(edgeOf(world, "a schedule"), actor, launch, launched => moved(world, schedule, time, launched));
  } catch (error) {
    if (error instanceof Moved) return;
    if (!(error instanceof MusterError) || isRetryable(error)) throw error;
    const going = await goingCluster(world, schedule, error);
    if (going !== undefined) return owe(world, schedule, time, `cluster '${going}' of before has not ended`);
    const last = { at: time, outcome: "failed" as const, message: error.message.slice(0, 400) };
    await note(world, schedule, { ...stepOf(world, schedule), owed: undefined, last });
  }
}

/** Its name still stands for a cluster that is on its way out, or is the last job's alone: both are a matter of minutes. */
async function goingCluster(world: World, schedule: Stood, { code }: MusterError): Promise<string | undefined> {
  const { workspace, cluster: name, launched } = schedule;
  if (name === undefined || (code !== "conflict" && code !== "name_taken")) return undefined;
  const cluster = await byName(world.table, workspace, name);
  const isLastOnes = cluster?.managedBy !== undefined && cluster.managedBy === launched?.jobId;
  return cluster && (isLastOnes || Cluster.isLeaving(cluster)) ? cluster.name : undefined;
}

/** What a schedule launches. @throws MusterError `not_found` when it was removed meanwhile; `invalid_request` */
export const launchOf = async (
  { table }: Pick<World, "table">,
  { workspace, name }: Schedule.Schedule,
): Promise<Launch.Create> => storedLaunch(await table.get(Keys.scheduled(workspace, name)), "schedule", name);

/** The step to its next time, as it goes with the launch. @throws Moved when somebody else has taken it */
async function moved(world: World, before: Stood, time: number, launched: Launch.Info): Promise<readonly Write[]> {
  const schedule = await Schedule.find(world.table, before.workspace, before.name);
  if (schedule?.version !== before.version) throw new Moved();
  return taken(world, Actor.system(before.workspace), schedule, time, launched, stepOf(world, schedule));
}

/** What is written of a launch beside it. */
export function taken(
  world: Pick<World, "clock" | "random">,
  actor: { readonly id: string },
  schedule: Stood,
  time: number,
  { cluster, job }: Launch.Info,
  step: Patch<Schedule.Schedule>,
): Write[] {
  const { id: clusterId, name: clusterName } = cluster;
  const launched = job && { at: time, clusterId, clusterName, jobId: job.id };
  const last = { at: time, outcome: "launched" as const };
  const patch = { ...step, last, owed: undefined, ...(launched && { launched }) };
  const { next, write } = amend<Schedule.Schedule>(Schedule.noun, schedule, patch);
  const details = { time, clusterId, ...(job && { jobId: job.id }) };
  return [write, Schedule.eventOf(world, actor, next, "launched", { details })];
}
