/** From booting to ready: when all hosts of the cluster are up, its slots come into being and jobs may start. */
import * as Actor from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import * as Host from "../host/host.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, read, type Stored } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { type Group, groupsByRank, groupsOf, nodesOf } from "./group.ts";
import { deadline } from "./idle.ts";
import { fail } from "./reconcile/fail.ts";
import { type Capacity, capacityOf } from "./room.ts";
import * as Slots from "./slots.ts";

/** How often a ready cluster without an idle deadline is looked at, in ms. */
export const READY_CHECK = 3_600_000;

/** Reads and writes the table only, so that a host's enrollment can do it at once. @returns whether the cluster is ready now. */
export const register = (world: Basics, ref: ClusterRef): Promise<boolean> =>
  retrying(async () => {
    const cluster = await load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));
    if (cluster?.state !== "booting") return cluster?.state === "ready";
    const hosts = await hostsOf(world.table, ref);
    // Beyond them are those of a growth that came to nothing.
    const up = hosts.filter(host => host.state === "up" && host.rank < cluster.nodes);
    // Those that were there before it grew have shown what they can.
    const isNew = (host: Host.Host) => cluster.before === undefined || host.rank >= knownNodes(cluster);
    const unreachable = hosts.find(host => isNew(host) && isUnreachable(host));
    // Where disks have been in use before, they are worth more than a session.
    if (unreachable && !cluster.restarted) {
      await fail(world, cluster, outOfReach(unreachable));
      return false;
    }
    if (up.length < cluster.nodes) return false;
    const now = world.clock.now();
    const dueAt = deadline(Cluster.policyOf(cluster), now) ?? now + READY_CHECK;
    const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
    const move = advance(world, Cluster.kind, Actor.system(ref.workspace), cluster, "up", {
      dueAt,
      restarts: undefined,
      // Its machines have started from the snapshots: the sweep deletes these.
      snapshotOf: undefined,
    });
    await world.table.write([...move.writes, slotsWrite(ref, slots, slotsOf(cluster, up), now)]);
    return true;
  });

/** How many hosts it had before it grew. */
const knownNodes = (cluster: Extract<Cluster.Cluster, { state: "booting" }>): number =>
  nodesOf(groupsOf(cluster).slice(0, cluster.before?.groups));

const isUnreachable = (host: Host.Host): boolean => host.facts?.sessionAgent === false && host.state === "up";

const outOfReach = (host: Host.Host): Cluster.Failure => ({
  code: "image_unsuitable",
  message: `AWS's session agent does not run on ${host.id}: nobody could reach the machine`,
  hint: "install amazon-ssm-agent in the image, or launch without one of your own",
});

/** Jobs run on the hosts of a cluster that has grown. */
function slotsWrite(ref: ClusterRef, slots: Stored<Slots.Slots> | undefined, hosts: Slots.Slot[], now: number): Write {
  const runs = new Map(slots?.hosts.map(slot => [slot.rank, slot.runs]));
  const kept = hosts.map(slot => ({ ...slot, runs: runs.get(slot.rank) ?? [] }));
  if (slots) return amend(Slots.noun, slots, { hosts: kept, idleSince: now }).write;
  return Slots.create({ ...ref, fence: 0, idleSince: now, hosts });
}

function slotsOf(cluster: Cluster.Cluster, hosts: readonly Host.Host[]): Slots.Slot[] {
  const groups = groupsByRank(cluster);
  const kinds = Cluster.kindsOf(cluster);
  const kindsByRank = groupsOf(cluster).flatMap((group, index) =>
    Array.from({ length: group.nodes }, () => kinds[index]),
  );
  return hosts.map(host => ({
    ...slotOf(host, groups[host.rank]),
    ...capacityOf(kindsByRank[host.rank], host.facts, cluster.maxConcurrentJobs),
  }));
}

type Placeless = Omit<Slots.Slot, keyof Capacity>;

const slotOf = (host: Host.Host, group: Group | undefined): Placeless => ({
  rank: host.rank,
  ...(host.machineId !== undefined && { machineId: host.machineId }),
  ...(group && { group: group.name, schedulable: group.schedulable }),
  address: host.facts?.address ?? "",
  up: true,
  runs: [],
});

/** All hosts of a cluster, by rank. */
export async function hostsOf(table: Table, ref: ClusterRef): Promise<Stored<Host.Host>[]> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  const found: Stored<Host.Host>[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, prefix: "HOST#", limit: 1000, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(item => read(Host.noun, item)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
