/** A host's poll: it says how it is and what it holds, and learns what to do. */
import * as Actor from "../actor/actor.ts";
import * as Attempt from "../attempt/attempt.ts";
import * as Cluster from "../cluster/cluster.ts";
import { register } from "../cluster/register.ts";
import * as Slots from "../cluster/slots.ts";
import * as Words from "../cluster/words.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Host from "../host/host.ts";
import { note } from "../host/notice.ts";
import * as Job from "../job/job.ts";
import { followedUntil } from "../job/logs.ts";
import { schedule } from "../job/schedule.ts";
import { isTakenBack } from "../job/settle.ts";
import * as Keys from "../keys.ts";
import { WriteConflict } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Stored } from "../record.ts";
import { assign, logPolicy, type Part } from "./assign.ts";
import { hookOf, noteOf } from "./hook.ts";
import { renewed } from "./keep.ts";
import { powerOffOf } from "./power-off.ts";
import {
  type Assignment,
  type AttemptRef,
  type Held,
  type HeldRef,
  Hooked,
  type Orders,
  POLL_BUSY,
  POLL_IDLE,
  type Poll,
} from "./protocol.ts";
import { watchOf } from "./watch.ts";

export async function poll(world: Part, host: HostActor, request: Poll): Promise<Orders> {
  await welcome(world, host);
  await takePulse(world, host, request);
  if (request.notice) await note(world, host.host, request.notice.kind);
  const slots = await work(world, host);
  const jobs = slots === undefined ? [] : await jobsOn(world, host, slots);
  const isOf = (ref: AttemptRef) => (job: Job.Placed) => job.id === ref.jobId && job.fence === ref.fence;
  const held = (job: Job.Placed) => request.attempts.find(ref => isOf(ref)(job));
  const orders =
    slots === undefined ? [] : await Promise.all(jobs.map(job => ordersFor(world, host, job, slots, held(job))));
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  const idle = cluster && (await Words.policyOf(world.table, cluster));
  const powerOff = cluster && idle && powerOffOf(cluster, idle, world.clock.now());
  const watch = idle && watchOf(idle);
  const hook = cluster && idle && hookOf(cluster, idle, host.rank, world.clock.now());
  return {
    now: world.clock.now(),
    assignments: orders.flatMap(order => order.assignments),
    held: orders.flatMap(order => order.held),
    revoked: request.attempts.flatMap(ref => (jobs.some(isOf(ref)) ? [] : { jobId: ref.jobId, fence: ref.fence })),
    pollAfter: jobs.length === 0 ? POLL_IDLE : POLL_BUSY,
    ...(powerOff && { powerOff }),
    ...(watch && { watch }),
    ...(hook && { hook }),
  };
}

/** The jobs that have a part of this host. */
async function jobsOn(world: Part, host: HostActor, slots: Slots.Slots): Promise<Job.Placed[]> {
  const runs = slots.hosts.find(slot => slot.rank === host.rank)?.runs ?? [];
  const jobs = await Promise.all(
    runs.map(async ({ jobId, fence }) => {
      const job = await load(world.table, Job.noun, Keys.job(host.workspace, jobId));
      return job && Job.isPlaced(job) && job.fence === fence ? [job] : [];
    }),
  );
  return jobs.flat();
}

interface JobOrders {
  readonly assignments: readonly Assignment[];
  readonly held: readonly Held[];
}

async function ordersFor(
  world: Part,
  host: HostActor,
  job: Job.Placed,
  slots: Slots.Slots,
  ref: HeldRef | undefined,
): Promise<JobOrders> {
  if (ref === undefined) {
    // A node that has ended waits for the others of its job: there is nothing more for it to do.
    if (await hasEnded(world, host, job)) return { assignments: [], held: [] };
    const assignment = await assign(world, host, job, slots);
    if (assignment === undefined) return { assignments: [], held: [] };
    return { assignments: [assignment], held: [await orderOf(world, job)] };
  }
  const rank = job.placement.indexOf(host.rank);
  const grants = { logs: await logPolicy(world, job, rank), ...(await renewed(world, job, rank, ref)) };
  return { assignments: [], held: [{ ...(await orderOf(world, job)), ...grants }] };
}

async function hasEnded(world: Part, host: HostActor, job: Job.Placed): Promise<boolean> {
  const rank = job.placement.indexOf(host.rank);
  const row = await load(world.table, Attempt.noun, Keys.attempt(job.workspace, job.id, job.fence, rank));
  return row !== undefined && Attempt.kind.life.isTerminal(row.state);
}

async function orderOf(world: Part, job: Job.Placed): Promise<Held> {
  const followUntil = await followedUntil(world, job);
  const cancel = cancelOf(job);
  return {
    jobId: job.id,
    fence: job.fence,
    ...(cancel && { cancel }),
    ...(followUntil !== undefined && { followUntil }),
  };
}

function cancelOf(job: Job.Placed): Held["cancel"] {
  if (job.state === "cancelling") return "cancelled";
  if (job.verdict === undefined) return undefined;
  if (isTakenBack(job)) return "interrupted";
  return job.verdict.event === "expire" ? "timed_out" : "peer_failed";
}

/** A host that was expected, or given up, is up: it has just called. */
async function welcome(world: Basics, host: HostActor): Promise<void> {
  if (host.host.state === "up") return;
  const move = advance(world, Host.kind, Actor.system(host.workspace), host.host, "enroll");
  await unlessRaced(() => world.table.write(move.writes));
  await register(world, host);
}

/** The slot of a host that was lost and is back takes jobs again. Asked with every poll: one that died here is made good. */
async function reopen(world: Basics, host: HostActor, slots: Stored<Slots.Slots>): Promise<void> {
  if (slots.hosts.every(slot => slot.rank !== host.rank || slot.up)) return;
  // As it is now: this very poll may have said so.
  const now = await load(world.table, Host.noun, Host.noun.key(host.host));
  if (now && Host.isTaken(now, world.clock.now())) return;
  const hosts = slots.hosts.map(slot => (slot.rank === host.rank ? { ...slot, up: true } : slot));
  await unlessRaced(() => world.table.write([amend(Slots.noun, slots, { hosts }).write]));
}

async function takePulse(world: Basics, host: HostActor, request: Poll): Promise<void> {
  const key = Keys.pulse(host.workspace, host.clusterId, host.rank);
  const at = world.clock.now();
  const before = await world.table.get(key);
  const known = Hooked.safeParse(before?.data.hooked).data;
  const { hooked = known } = request;
  const pulse = {
    ...{ ...request.pulse, at, attempts: request.attempts.length },
    ...(hooked && { hooked }),
    // Since when it says nothing of how long it has been quiet: see cluster/reconcile/quiet.ts.
    ...(request.pulse.quiet === undefined && { untoldSince: before?.data.untoldSince ?? at }),
  };
  const failed = hooked ? noteOf(world, host, hooked, known) : [];
  const put = { ...key, type: "pulse", data: pulse };
  await unlessRaced(() => world.table.write([{ put, expect: before?.version ?? "absent" }, ...failed]));
}

/** A poll that lost a race is no worse off: the next one comes. */
async function unlessRaced(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** The slots. Where this host is not among them, the registration after its first call may have died: it is asked again. */
async function registered(world: Basics, host: HostActor): Promise<Stored<Slots.Slots> | undefined> {
  const slots = await Slots.get(world.table, host.workspace, host.clusterId);
  if (slots?.hosts.some(slot => slot.rank === host.rank)) return slots;
  return (await register(world, host)) ? Slots.get(world.table, host.workspace, host.clusterId) : slots;
}

/** The slots as they are; a host with room first sees whether something waits for it, should the doorbell have been lost. */
async function work(world: Basics, host: HostActor): Promise<Stored<Slots.Slots> | undefined> {
  const slots = await registered(world, host);
  if (slots === undefined) return undefined;
  await reopen(world, host, slots);
  const mine = slots.hosts.find(slot => slot.rank === host.rank);
  if (mine === undefined || mine.runs.some(run => run.whole)) return slots;
  const placed = await schedule(world, host);
  return placed.length === 0 ? slots : Slots.get(world.table, host.workspace, host.clusterId);
}
