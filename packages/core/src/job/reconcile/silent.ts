/** A job's hosts that do not call: which of them will not report any more, and which of these may be given up now. */
import * as Cluster from "../../cluster/cluster.ts";
import { providerOf } from "../../cluster/reconcile/provider.ts";
import * as Brake from "../../host/brake.ts";
import * as Host from "../../host/host.ts";
import { lastCalls, nextLook, runningHosts, type Silent, silentOf } from "../../host/silence.ts";
import * as Keys from "../../keys.ts";
import type { Machine } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { load } from "../../record.ts";
import type * as Job from "../job.ts";
import { giveUp } from "./give-up.ts";

export interface Silence {
  /** Ranks in the job, as everywhere here. */
  readonly silent: readonly number[];
  /** Those of them that will not report any more. */
  readonly gone: readonly number[];
  /** When to look again at the others. */
  readonly next: ReturnType<typeof nextLook>;
  /** What was found about each, and the machines that the provider showed. */
  readonly hosts: readonly Silent[];
  readonly machines: readonly Machine[];
}

const NOBODY: Silence = { silent: [], gone: [], next: undefined, hosts: [], machines: [] };

/** @param ranks that have not ended. */
export async function silence(world: World, job: Job.Placed, ranks: readonly number[]): Promise<Silence> {
  const ref = { workspace: job.workspace, clusterId: job.clusterId };
  const now = world.clock.now();
  const watch = { ...job, from: job.startedAt ?? job.changedAt };
  const calls = await lastCalls(world.table, ref);
  const hostRanks = ranks.flatMap(rank => job.placement[rank] ?? []);
  const look = (running: ReadonlySet<string>) => silentOf(hostRanks, watch, { now, calls, running }, job.clusterId);
  // The provider is asked only when somebody is silent.
  if (look(new Set()).length === 0) return NOBODY;
  const cluster = await clusterOf(world, job);
  const machines = cluster === undefined ? [] : await providerOf(world, cluster).observe(ref);
  const hosts = look(runningHosts(machines));
  const rankOf = (host: { readonly rank: number }) => job.placement.indexOf(host.rank);
  const gone = hosts.filter(host => host.gone).map(rankOf);
  return { gone, silent: hosts.map(rankOf), next: nextLook(hosts, watch, now), hosts, machines };
}

const clusterOf = (world: World, job: Job.Job) =>
  load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));

export interface Doomed {
  readonly rank: number;
  readonly cause: "host_lost" | "start_failed";
  /** Whether nothing but its silence speaks against the host. */
  readonly bySilence: boolean;
}

/** @returns the ranks that must stay for now: too many hosts are silent at once. Somebody is told. */
export async function giveUpAll(
  world: World,
  job: Job.Placed,
  doomed: readonly Doomed[],
  found: Silence,
): Promise<readonly number[]> {
  const silent = doomed.filter(({ bySilence }) => bySilence).map(({ rank }) => rank);
  const cluster = silent.length === 0 ? undefined : await clusterOf(world, job);
  const settled = cluster === undefined ? new Set() : await settledOf(world, cluster, job, found);
  const held: number[] = [];
  for (const { rank, cause, bySilence } of doomed) {
    const isBraked = bySilence && !settled.has(job.placement[rank]);
    // Where there was no room for one there is none for the next.
    const isOver =
      !(isBraked && held.length > 0) &&
      (await giveUp(world, job, rank, cause, isBraked ? cluster?.provider : undefined));
    if (!isOver) held.push(rank);
  }
  if (held.length > 0) await Brake.tell(world, job, held.length);
  return held;
}

/** Ranks in the cluster of hosts that the brake has nothing to say of: their end is proven, or another job has lost them. */
async function settledOf(
  world: World,
  cluster: Cluster.Cluster,
  { workspace, clusterId }: Job.Placed,
  { hosts, machines }: Silence,
): Promise<ReadonlySet<unknown>> {
  const suspects = await Promise.all(
    hosts.map(async ({ rank, heard }) => {
      const host = await load(world.table, Host.noun, Keys.host(workspace, clusterId, rank));
      return { rank, heard, interruptedAt: host?.interruptedAt, isLost: host?.state === "lost" };
    }),
  );
  const ref = { workspace, clusterId, generation: cluster.generation };
  const lost = suspects.filter(({ isLost }) => isLost).map(({ rank }) => rank);
  const open = suspects.filter(({ isLost }) => !isLost);
  return new Set([...lost, ...(await Brake.provenGone(providerOf(world, cluster), ref, open, machines))]);
}
