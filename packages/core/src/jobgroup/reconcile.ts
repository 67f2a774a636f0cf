/**
 * Looks after one job group: when its primary tasks have ended, the others are ended, and then the group. Everything is
 * decided by how its jobs stand, so that it may be done twice, and gone on with where it was cut off.
 */
import * as Actor from "../actor/actor.ts";
import type { Failure } from "../cluster/cluster.ts";
import { retrying } from "../commit.ts";
import { cancellation } from "../job/cancel.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Patch, type Stored } from "../record.ts";
import * as JobGroup from "./jobgroup.ts";

/** When somebody looks, should all rings be lost: of one that runs, and while ends are waited for, in ms. */
export const LOOK = 300_000;
const END_LOOK = 60_000;
/** More than there are from a task's end to when the others are told: whatever is left is due. */
const MOST_STEPS = 8;

export interface Ref {
  readonly workspace: string;
  readonly id: string;
}

type In = Stored<JobGroup.JobGroup>;

/** A task with its job; a job that is not there is as good as cancelled. */
interface Part extends JobGroup.Member {
  readonly job: Job.Job | undefined;
}

export async function reconcile(world: Basics, ref: Ref): Promise<void> {
  for (let done = 0; done < MOST_STEPS; done++) if (!(await retrying(() => step(world, ref)))) return;
}

/** @returns whether there may be more to do. */
async function step(world: Basics, { workspace, id }: Ref): Promise<boolean> {
  const group = await load(world.table, JobGroup.noun, Keys.jobGroup(workspace, id));
  if (group === undefined || JobGroup.isOver(group)) return false;
  const parts = await partsOf(world, group);
  const primary = parts.filter(part => part.primary);
  if (!primary.every(hasEnded)) return defer(world, group, world.clock.now() + LOOK);
  if (parts.every(hasEnded)) return end(world, group, primary);
  if (group.state === "running") return windUp(world, group, parts, primary);
  return endOthers(world, group, parts, primary);
}

const partsOf = (world: Basics, { workspace, tasks }: JobGroup.JobGroup): Promise<Part[]> =>
  Promise.all(
    tasks.map(async task => ({ ...task, job: await load(world.table, Job.noun, Keys.job(workspace, task.jobId)) })),
  );

const hasEnded = ({ job }: Part): boolean => job === undefined || Job.isOver(job);

/** One that is to end, and has not been told. */
const isLeft = ({ job }: Part): boolean => job !== undefined && !Job.isOver(job) && job.state !== "cancelling";

const endOf = ({ job }: Part): number => (job !== undefined && "endedAt" in job ? job.endedAt : 0);

/** The first of them that did not end well. */
const firstBad = (primary: readonly Part[]): Part | undefined =>
  primary.filter(({ job }) => job?.state !== "succeeded").toSorted((a, b) => endOf(a) - endOf(b))[0];

/** Epoch ms at which a task is to end: at once, when a primary one did not end well. */
function endsAt({ delay = 0 }: Part, primary: readonly Part[]): number {
  const last = Math.max(...primary.map(endOf));
  return firstBad(primary) === undefined ? last + delay * 1000 : last;
}

/** What people say of it. */
const SAID: Readonly<Partial<Record<Job.State, string>>> = { cancelled: "was cancelled", timed_out: "ran out of time" };

function causeOf({ name, job }: Part): Failure {
  const how = job === undefined ? "is not there any more" : (SAID[job.state] ?? job.state);
  const failure = job !== undefined && "failure" in job ? job.failure : undefined;
  const said = failure === undefined ? "" : `: ${failure.message}`;
  return {
    code: failure?.code ?? job?.state ?? "not_found",
    message: `task '${name}' ${how}${said}`,
    ...(failure?.hint !== undefined && { hint: failure.hint }),
  };
}

type Event = "wind_up" | "succeed" | "fail" | "cancel";

async function move(world: Basics, group: In, event: Event, patch: Patch<JobGroup.JobGroup>, message?: string) {
  const actor = Actor.system(group.workspace);
  const why = message === undefined ? {} : { message };
  const { writes } = advance<JobGroup.JobGroup, JobGroup.State, Event>(
    world,
    JobGroup.kind,
    actor,
    group,
    event,
    patch,
    why,
  );
  await world.table.write(writes);
}

/** The first look when the primary tasks have ended: from here on the others have their time. */
async function windUp(world: Basics, group: In, parts: readonly Part[], primary: readonly Part[]): Promise<boolean> {
  const bad = firstBad(primary);
  const failure = bad && causeOf(bad);
  const dueAt = Math.min(...parts.filter(part => !hasEnded(part)).map(part => endsAt(part, primary)));
  const message = failure?.message ?? "its primary tasks have succeeded";
  await move(world, group, "wind_up", { dueAt, ...(failure && { failure }) }, message);
  return true;
}

async function endOthers(world: Basics, group: In, parts: readonly Part[], primary: readonly Part[]): Promise<boolean> {
  const now = world.clock.now();
  const left = parts.filter(isLeft);
  const due = left.filter(part => endsAt(part, primary) <= now);
  const cause = "failure" in group ? group.failure : undefined;
  const message = `its job group '${group.name}' ends: ${cause?.message ?? "its primary tasks have succeeded"}`;
  for (const { jobId } of due) await tell(world, group.workspace, jobId, message);
  if (due.length > 0) return true;
  return defer(world, group, Math.min(now + END_LOOK, ...left.map(part => endsAt(part, primary))));
}

const tell = (world: Basics, workspace: string, jobId: string, message: string): Promise<void> =>
  retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(workspace, jobId));
    const done = job && (await cancellation(world, Actor.system(workspace), job, { message }));
    if (done) await world.table.write(done.writes);
  });

/** Nothing is to be done before that. */
async function defer(world: Basics, group: In, at: number): Promise<boolean> {
  if (!("dueAt" in group) || group.dueAt > world.clock.now()) return false;
  await world.table.write([amend<JobGroup.JobGroup>(JobGroup.noun, group, { dueAt: at }).write]);
  return false;
}

async function end(world: Basics, group: In, primary: readonly Part[]): Promise<boolean> {
  const bad = firstBad(primary);
  const failure = bad && causeOf(bad);
  const event = bad === undefined ? "succeed" : eventOf(primary);
  await move(world, group, event, { endedAt: world.clock.now(), ...(failure && { failure }) }, failure?.message);
  return false;
}

/** What is only cancelled has not failed. */
const eventOf = (primary: readonly Part[]): "fail" | "cancel" =>
  primary.some(({ job }) => job?.state === "failed" || job?.state === "timed_out") ? "fail" : "cancel";
