/** What people do to a cluster that exists: start, stop, remove, and set its idle policy. Each may be said twice. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import type { Write } from "../ports/table.ts";
import type { Basics, Catalog } from "../ports/world.ts";
import * as Choose from "../provider/choose.ts";
import { advance, amend, type Patch, type Stored } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { find, requireManage, requireUse } from "./find.ts";
import * as Hook from "./hook.ts";
import type { Kept } from "./idle.ts";
import { requireStoppable } from "./policy.ts";
import { afford, runningHeld, runningRate } from "./reconcile/afford.ts";
import * as Words from "./words.ts";

/**
 * The removal of a cluster, in whatever state it is, for good; undefined when it is leaving already, and waits for nothing that
 * this one leaves out.
 * @param how with `hookBy`, what its policy has to be run is waited for
 */
export function removal(
  world: Basics,
  actor: { readonly id: string },
  cluster: Stored<Cluster.Cluster>,
  why = {},
  how: { readonly hookBy?: number } = {},
): Changed | undefined {
  const now = world.clock.now();
  if (Cluster.isLeaving(cluster)) return hurried(cluster, now);
  // What went wrong before, such as a start, is not why it ends.
  const patch = { failure: undefined, hookBy: undefined, dueAt: now, drainingSince: now, ...how };
  if (cluster.state !== "draining") return advance(world, Cluster.kind, actor, cluster, "remove", patch, why);
  // It was to be made anew.
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, { ...patch, renew: undefined });
  return { next, writes: [write] };
}

/** It ends by its policy, or with a job, and waits for what is run before: now it does not. */
function hurried(cluster: Stored<Cluster.Cluster>, now: number): Changed | undefined {
  if (cluster.state !== "draining" || cluster.hookBy === undefined) return undefined;
  // While its jobs have still to end, their moment goes on.
  const since = cluster.hookBy === 0 ? {} : { drainingSince: now };
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, { hookBy: undefined, dueAt: now, ...since });
  return { next, writes: [write] };
}

/** Cancels its jobs and terminates its hosts. A cluster that is leaving or gone stays as it is, but waits for no hook. */
export const remove = (world: Basics, actor: Actor, reference: string): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireManage(actor, cluster);
    return settle(world, actor, cluster, removal(world, actor, cluster));
  });

/**
 * Stops a ready cluster and keeps its disks; one that moves stays where its disks are. With `now`, what its policy has to be
 * run before that is left out, also where it is waited for already.
 * @throws MusterError `unsupported` where the provider cannot; `conflict` while it grows.
 */
export const stop = (
  world: Basics & { readonly providers: Catalog },
  actor: Actor,
  reference: string,
  how: { readonly now: boolean } = { now: false },
): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireManage(actor, cluster);
    Cluster.requireShareable(cluster);
    requireStoppable(Choose.provider(world.providers, { provider: cluster.provider }), cluster, {
      after: 0,
      action: "stop",
    });
    return settle(world, actor, cluster, stopping(world, actor, cluster, how.now));
  });

/** The stop; where its policy has stopped it already, only the word that jobs must not start it again. */
function stopping(world: Basics, actor: Actor, cluster: Stored<Cluster.Cluster>, isNow: boolean): Changed | undefined {
  const isMoving = cluster.state === "moving" || (cluster.state === "booting" && cluster.snapshotOf !== undefined);
  if (isMoving) return stayingPut(world, actor, cluster);
  if (cluster.state === "booting" && cluster.before !== undefined)
    throw new MusterError("conflict", `cluster '${cluster.name}' is growing, and cannot stop now`, {
      state: cluster.state,
      hint: `wait until it has grown (muster status ${cluster.name}), then: muster stop ${cluster.name}`,
    });
  const dueAt = world.clock.now();
  if (cluster.state !== "stopping" && cluster.state !== "stopped")
    return advance(world, Cluster.kind, actor, cluster, "stop", { dueAt, ...(!isNow && Hook.awaited(cluster)) });
  const skips = isNow && cluster.state === "stopping" && cluster.hookBy !== undefined;
  if (!cluster.byPolicy && !skips) return undefined;
  const patch = { byPolicy: undefined, ...(skips && { hookBy: undefined, dueAt }) };
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, patch);
  return { next, writes: [write] };
}

const STOPPED: Cluster.Failure = { code: "stopped", message: "it was stopped while it moved" };

/** A move that somebody gives up: what it has made is ended, and the disks stay what they are. */
function stayingPut(world: Basics, actor: Actor, cluster: Stored<Cluster.Cluster>): Changed {
  const patch = { failure: STOPPED, byPerson: true, dueAt: world.clock.now() };
  if (cluster.state === "booting")
    return advance(world, Cluster.kind, actor, cluster, "stay", { ...patch, move: cluster.snapshotOf }, STOPPED);
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, patch);
  return { next, writes: [write] };
}

/** Somebody has stopped the move, and somebody wants it after all. */
function goingOn(world: Basics, cluster: Stored<Cluster.Cluster>): Changed {
  const patch = { failure: undefined, byPerson: undefined, dueAt: world.clock.now() };
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, patch);
  return { next, writes: [write] };
}

interface Changed {
  readonly next: Stored<Cluster.Cluster>;
  readonly writes: readonly Write[];
}

/**
 * Starts a stopped cluster; one that runs or is on its way there stays as it is. With `move`, on other machines, wherever
 * there are some: its disks are copied there.
 * @throws MusterError `conflict` while it stops; `unsupported` where disks cannot be moved; `over_budget`.
 */
export const start = (
  world: Basics & { readonly providers: Catalog },
  actor: Actor,
  reference: string,
  how: { readonly move: boolean } = { move: false },
): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireUse(actor, cluster);
    Cluster.requireNotPooled(cluster);
    if (how.move) requireMovable(world.providers, actor, cluster);
    requireStartable(cluster);
    if (cluster.state === "moving" && cluster.byPerson) return settle(world, actor, cluster, goingOn(world, cluster));
    const running = [
      "requested",
      "launching",
      "booting",
      "setting_up",
      "ready",
      "growing",
      "starting",
      "moving",
    ].includes(cluster.state);
    return settle(world, actor, cluster, running ? undefined : await starting(world, actor, cluster, how));
  });

/** @throws MusterError `conflict` while it stops. */
function requireStartable(cluster: Cluster.Cluster): void {
  if (cluster.state !== "stopping") return;
  const { name, state, hookBy } = cluster;
  const sooner = hookBy === undefined ? "" : `; its hook comes first, which this leaves out: muster stop ${name} --now`;
  throw new MusterError("conflict", `cluster '${name}' is still stopping`, {
    state,
    hint: `wait until it has stopped (muster status), then: muster start ${name}${sooner}`,
  });
}

/**
 * It may be said of a cluster that runs, or is on its way, and changes nothing there.
 * @throws MusterError `unsupported`; `forbidden`: its machines are ended; `conflict` while it starts where it is.
 */
function requireMovable(providers: Catalog, actor: Actor, cluster: Cluster.Cluster): void {
  const { name, state } = cluster;
  if (state === "starting")
    throw new MusterError("conflict", `cluster '${name}' is just being started where it is`, {
      state,
      hint: `if that comes to nothing it is stopped again; then: muster start ${name} --move`,
    });
  if (state !== "stopped") return;
  requireManage(actor, cluster);
  const provider = Choose.provider(providers, { provider: cluster.provider });
  if (provider.capabilities.move) return;
  throw new MusterError("unsupported", `provider '${provider.name}' cannot move disks to other machines`, {
    hint: `start it where it is: muster start ${name}`,
  });
}

interface Starting {
  readonly restarts?: number;
  readonly move?: boolean;
  /** Whose it was until now. */
  readonly from?: string;
}

/**
 * The start of a stopped cluster: of its machines, or of others for the disks that are kept as snapshots.
 * @throws MusterError `conflict` from any other state; `over_budget`, `frozen`.
 */
export async function starting(
  world: Basics,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  { restarts, move = false, from }: Starting = {},
): Promise<Changed> {
  const [takes, holds] = [runningRate(cluster), runningHeld(cluster)];
  const { share, writes: paid } = await afford(world, cluster, { takes, holds, begins: true, ...(from && { from }) });
  const patch: Patch<Cluster.Cluster> = {
    dueAt: world.clock.now(),
    failure: undefined,
    restarts,
    ...share,
  };
  const { next, writes } =
    move || cluster.snapshotOf !== undefined
      ? advance(world, Cluster.kind, actor, cluster, "move", { ...patch, ...moveOf(cluster) })
      : advance(world, Cluster.kind, actor, cluster, "start", patch);
  return { next, writes: [...writes, ...paid] };
}

/** Where its disks are snapshots already, the move that made them goes on. */
function moveOf({ snapshotOf, moves = 0 }: Cluster.Cluster): { readonly move: number; readonly moves: number } {
  return { move: snapshotOf ?? moves + 1, moves: snapshotOf === undefined ? moves + 1 : moves };
}

/**
 * Sets its idle policy.
 * @param asked of what may be long, `true` says that it stays as it is
 * @throws MusterError `conflict` when it is leaving; `unsupported`; `invalid_request` where nothing is there to stay.
 */
export const autostop = (
  world: Basics & { readonly providers: Catalog },
  actor: Actor,
  reference: string,
  asked: Kept,
): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireManage(actor, cluster);
    if (Cluster.isLeaving(cluster))
      throw new MusterError("conflict", `cluster '${cluster.name}' is ${cluster.state}`, { state: cluster.state });
    Cluster.requireShareable(cluster);
    requireStoppable(Choose.provider(world.providers, { provider: cluster.provider }), cluster, asked);
    const now = world.clock.now();
    const { patch, writes, idle } = await Words.changed(world.table, cluster, asked, now);
    // Due at once where a deadline hangs on the policy: the reconciler works out the new one.
    const hangs = cluster.state === "ready" || cluster.state === "stopped";
    const { next, write } = amend(Cluster.noun, cluster, { ...patch, ...(hangs && { dueAt: now }) });
    const answer = { ...Cluster.info(next), idle };
    const what = { subject: cluster.id, clusterId: cluster.id, kind: "cluster.autostop" };
    const event = Event.happens(world, Cluster.noun.key(cluster), actor, what);
    await commit(world, actor, [write, event, ...writes], answer);
    return answer;
  });

async function settle(
  world: Basics,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  change: Changed | undefined,
): Promise<Cluster.Info> {
  const answer = Cluster.info(change?.next ?? cluster);
  await commit(world, actor, change?.writes ?? [], answer);
  return answer;
}
