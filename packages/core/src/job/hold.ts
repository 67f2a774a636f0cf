/** Holding jobs back, and letting them go. Each may be said twice. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, type Stored } from "../record.ts";
import { park } from "./after.ts";
import { requireControl } from "./cancel.ts";
import * as Job from "./job.ts";
import { queueKey } from "./queue.ts";
import { QUEUE_CHECK } from "./queue-time.ts";
import { find } from "./read.ts";
import { released } from "./waiting.ts";

interface Change {
  readonly next: Stored<Job.Job>;
  readonly writes: readonly Write[];
}

/**
 * Takes a job out of the queue until it is released.
 * @throws MusterError `conflict` for one that has begun or ended; `not_found`, `forbidden`.
 */
export const hold = (world: Basics, actor: Actor, id: string): Promise<Job.Info> =>
  change(world, actor, id, job => held(world, actor, job));

/** A job that is not held stays as it is. @throws MusterError `not_found`, `forbidden`. */
export const release = (world: Basics, actor: Actor, id: string): Promise<Job.Info> =>
  change(world, actor, id, async job => (Job.isWaiting(job) && job.held ? letGo(world, actor, job) : undefined));

function change(
  world: Basics,
  actor: Actor,
  id: string,
  decide: (job: Stored<Job.Job>) => Promise<Change | undefined>,
): Promise<Job.Info> {
  return retrying(async () => {
    const job = await one(world, actor, id);
    await requireControl(world, actor, job);
    const done = await decide(job);
    const answer = Job.info(done?.next ?? job);
    await commit(world, actor, done?.writes ?? [], answer);
    return answer;
  });
}

async function one(world: Basics, actor: Actor, id: string): Promise<Stored<Job.Job>> {
  const array = await world.table.get(Keys.array(actor.workspace, id));
  if (array === undefined) return find(world, actor, id);
  throw new MusterError("conflict", `${id} has many runs, and they cannot be held`, {
    hint: `end those that have not begun: muster cancel ${id}`,
  });
}

async function held(world: Basics, actor: Actor, job: Stored<Job.Job>): Promise<Change | undefined> {
  const now = world.clock.now();
  const patch = { held: true, heldBy: actor.id, dueAt: now + QUEUE_CHECK };
  if (Job.isWaiting(job)) return job.held ? undefined : noted(world, actor, job, patch, "held");
  requireQueued(job);
  // What is left of its time in the queue it has when it is back there.
  const left = job.startBy === undefined ? undefined : Math.max(1, Math.ceil((job.startBy - now) / 1000));
  const waits = { ...patch, startBy: undefined, queueTimeout: left };
  const move = advance<Job.Job, Job.State, "hold">(world, Job.kind, actor, job, "hold", waits, { message: "held" });
  const item = await world.table.get(queueKey(job));
  const unqueue: Write[] = item ? [{ remove: queueKey(job), expect: item.version }] : [];
  return { next: move.next, writes: [...move.writes, ...unqueue, park(job)] };
}

function requireQueued(job: Job.Job): void {
  if (job.state === "queued") return;
  const { state } = job;
  const over = Job.isOver(job);
  const message = over
    ? `job ${job.id} has ended`
    : `job ${job.id} is ${state}: only one that has not begun can be held`;
  throw new MusterError("conflict", message, {
    state,
    hint: over ? `run it once more: muster rerun ${job.id}` : `end it: muster cancel ${job.id}`,
  });
}

/** While it still waits for others it goes on waiting; it looks again at once, since they may have ended. */
async function letGo(world: Basics, actor: Actor, job: Stored<Job.Waiting>): Promise<Change> {
  if (job.after === undefined) return released(world, actor, job, "released");
  return noted(world, actor, job, { held: undefined, heldBy: undefined, dueAt: world.clock.now() }, "released");
}

/** A change within its state, with a line in its history. */
function noted(
  world: Basics,
  actor: Actor,
  job: Stored<Job.Waiting>,
  patch: Parameters<typeof amend<Job.Job>>[2],
  message: string,
): Change {
  const { next, write } = amend<Job.Job>(Job.noun, job, patch);
  const entry = Event.draft(Job.noun.key(job), actor, {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: job.id,
    kind: "job.waiting",
    from: "waiting",
    clusterId: job.clusterId,
    message,
  });
  return { next, writes: [write, { put: entry, expect: "absent" }] };
}
