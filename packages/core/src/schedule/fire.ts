/**
 * A schedule whose time has come. The launch and the schedule's step to its next time are one transaction: whoever is
 * stopped anywhere before it has done nothing, whoever comes second finds the schedule moved on. Times that nobody was
 * there for are one.
 */
import * as Actor from "../actor/actor.ts";
import { cancel } from "../array/control.ts";
import * as Cluster from "../cluster/cluster.ts";
import { byName } from "../cluster/find.ts";
import { isRetryable, issuesOf, MusterError } from "../error.ts";
import { outcomeOf } from "../job/outcome.ts";
import * as Keys from "../keys.ts";
import { create } from "../launch/create.ts";
import * as Launch from "../launch/launch.ts";
import type { Write } from "../ports/table.ts";
import type { Edge, World } from "../ports/world.ts";
import { amend, type Patch, type Stored } from "../record.ts";
import { roleOf } from "../token/role.ts";
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
    const actor = await ownerOf(world, schedule);
    const launch = await launchOf(world, schedule);
    await create(edgeOf(world), actor, launch, launched => moved(world, schedule, time, launched));
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

/** In whose name it launches, with what they may do now. @throws MusterError `forbidden` */
async function ownerOf(world: World, { workspace, owner, name }: Stood): Promise<Actor.Actor> {
  const role = await roleOf(world, workspace, owner);
  if (role !== undefined && role !== "viewer") return { workspace, id: owner, role };
  const why = role === undefined ? "has no token any more" : "may launch nothing any more";
  throw new MusterError("forbidden", `${owner}, in whose name schedule '${name}' launches, ${why}`);
}

/** What a schedule launches. @throws MusterError `not_found` when it was removed meanwhile; `invalid_request` */
export async function launchOf(
  world: Pick<World, "table">,
  { workspace, name }: Schedule.Schedule,
): Promise<Launch.Create> {
  const item = await world.table.get(Keys.scheduled(workspace, name));
  if (item === undefined) throw new MusterError("not_found", `there is no schedule '${name}'`);
  const launch = Launch.Create.safeParse(item.data.launch);
  if (launch.success) return launch.data;
  throw new MusterError("invalid_request", "what it launches was set by another version, which allowed more", {
    issues: issuesOf(launch.error, "launch"),
    hint: `set it again: muster schedule set ${name}`,
  });
}

/** Nothing is kept for it: a schedule has no secrets. */
const edgeOf = (world: World): Edge => ({
  ...world,
  secrets: {
    forget: ref => world.secrets.forget(ref),
    keep: () => Promise.reject(new MusterError("internal", "a schedule has no secrets to keep")),
  },
});

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
