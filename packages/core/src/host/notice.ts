/**
 * What is about to happen to a host's machine, as the cloud announced it: a line in the cluster's history. That the machine
 * is taken back is remembered, for whoever asks later why it is gone; nothing more is placed there, and jobs that are tried
 * again for it end there at once, while they can still save what they have.
 */
import * as Actor from "../actor/actor.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Job from "../job/job.ts";
import { retryAt } from "../job/retry.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import * as Host from "./host.ts";

export const KINDS = ["interruption", "rebalance"] as const;
export type Kind = (typeof KINDS)[number];

const messages: Readonly<Record<Kind, string>> = {
  interruption: "the cloud takes its machine back within two minutes",
  rebalance: "the cloud may soon take its machine back",
};

/** The same may come from the cloud and from the machine itself. */
export async function note(world: Basics, of: Host.Host, kind: Kind): Promise<void> {
  const isTaken = await retrying(() => remember(world, of, kind));
  // Also when that was known: whoever came to know it may have died before this.
  if (isTaken) await endTries(world, of);
}

/** @returns whether its machine is taken back. */
async function remember(
  world: Basics,
  { workspace, clusterId, rank, machineId }: Host.Host,
  kind: Kind,
): Promise<boolean> {
  const now = world.clock.now();
  const host = await load(world.table, Host.noun, Keys.host(workspace, clusterId, rank));
  if (host === undefined || host.machineId !== machineId) return false;
  if (Host.isTaken(host, now)) return kind === "interruption";
  const told: Write[] =
    kind === "interruption"
      ? [amend<Host.Host>(Host.noun, host, { interruptedAt: now }).write, ...(await closing(world, host))]
      : [];
  await world.table.write([...told, { put: eventOf(world, host, kind), expect: "absent" }]);
  return kind === "interruption";
}

/** Nothing is placed there any more. */
async function closing({ table }: Basics, { workspace, clusterId, rank }: Host.Host): Promise<Write[]> {
  const slots = await Slots.get(table, workspace, clusterId);
  if (slots === undefined || slots.hosts.every(slot => slot.rank !== rank || !slot.up)) return [];
  const hosts = slots.hosts.map(slot => (slot.rank === rank ? { ...slot, up: false } : slot));
  return [amend(Slots.noun, slots, { hosts }).write];
}

/** One that is not tried again for this has some two minutes more: it may come to its end in them. */
async function endTries(world: Basics, { workspace, clusterId, rank }: Host.Host): Promise<void> {
  const slots = await Slots.get(world.table, workspace, clusterId);
  const runs = slots?.hosts.find(slot => slot.rank === rank)?.runs ?? [];
  for (const { jobId, fence } of runs) await retrying(() => endTry(world, Keys.job(workspace, jobId), fence, rank));
}

async function endTry(world: Basics, key: ReturnType<typeof Keys.job>, fence: number, rank: number): Promise<void> {
  const job = await load(world.table, Job.noun, key);
  if (job === undefined || !Job.isPlaced(job) || job.fence !== fence) return;
  if (job.verdict !== undefined || job.state === "cancelling") return;
  const mine = job.placement.indexOf(rank);
  const failure = { code: "interrupted", message: `the cloud takes the machine of rank ${mine} back` };
  if (retryAt(job, { failure }, world.clock.now()) === undefined) return;
  const verdict: Job.Verdict = { event: "fail", failure, rank: mine };
  await world.table.write([amend<Job.Job>(Job.noun, job, { verdict }).write]);
}

function eventOf(world: Basics, host: Host.Host, kind: Kind) {
  return Event.draft(Keys.cluster(host.workspace, host.clusterId), Actor.system(host.workspace), {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: host.id,
    kind: `host.${kind}`,
    clusterId: host.clusterId,
    message: messages[kind],
  });
}
