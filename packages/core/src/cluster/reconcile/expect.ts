/** The hosts that a launch call is for: on record before any machine is, and told their machines when it has answered. */
import * as Actor from "../../actor/actor.ts";
import { retrying } from "../../commit.ts";
import * as Host from "../../host/host.ts";
import * as Keys from "../../keys.ts";
import type { Machine } from "../../ports/provider.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend, load, type Stored, UNWRITTEN } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { ranksOf } from "../group.ts";
import type { In } from "./step.ts";

/**
 * The hosts of this try, which are those of its group; written only while the cluster is as it was read.
 * @returns undefined when they are of a later try already: somebody else is ahead.
 */
export async function expectHosts(world: World, cluster: In<"launching">): Promise<Stored<Host.Host>[] | undefined> {
  const hosts: Stored<Host.Host>[] = [];
  for (const rank of ranksOf(cluster, Cluster.atGroup(cluster.launch))) {
    const host = await expectHost(world, cluster, rank);
    if (host === undefined) return undefined;
    hosts.push(host);
  }
  return hosts;
}

async function expectHost(
  world: World,
  cluster: In<"launching">,
  rank: number,
): Promise<Stored<Host.Host> | undefined> {
  const found = await load(world.table, Host.noun, Keys.host(cluster.workspace, cluster.id, rank));
  const of = { generation: cluster.generation, try: cluster.launch.try };
  if (found?.generation === of.generation && found.try === of.try) return found;
  if (found && isLater(found, of)) return undefined;
  const { next, writes } = renewed(world, found ?? unwritten(world, cluster, rank), of);
  await world.table.write([...writes, { check: Cluster.noun.key(cluster), expect: cluster.version }]);
  return next;
}

type Of = Pick<Host.Host, "generation" | "try">;

const isLater = (found: Of, of: Of): boolean =>
  found.generation > of.generation || (found.generation === of.generation && found.try > of.try);

/** The host of a new try. A machine of the try before may have called already: its token is good no more. */
export function renewed(
  world: World,
  host: Stored<Host.Host>,
  of: Of,
): { next: Stored<Host.Host>; writes: readonly Write[] } {
  const { generation, try: attempt } = of;
  const patch = {
    generation,
    try: attempt,
    machineId: undefined,
    tokenHash: undefined,
    facts: undefined,
    interruptedAt: undefined,
  };
  if (host.state === "up" || host.state === "lost")
    return advance(world, Host.kind, Actor.system(host.workspace), host, "rest", patch);
  const { next, write } = amend<Host.Host>(Host.noun, host, patch);
  return { next, writes: [write] };
}

function unwritten(world: World, cluster: In<"launching">, rank: number): Stored<Host.Host> {
  const now = world.clock.now();
  return {
    id: Host.idOf(cluster.id, rank),
    workspace: cluster.workspace,
    clusterId: cluster.id,
    rank,
    generation: cluster.generation,
    try: cluster.launch.try,
    createdAt: now,
    changedAt: now,
    state: "expected",
    version: UNWRITTEN,
    rest: {},
  };
}

/** A host that is of another try by now keeps what it has. */
export async function nameMachines(
  world: World,
  cluster: In<"launching">,
  machines: readonly Machine[],
): Promise<void> {
  for (const machine of machines) {
    const place = Host.parseId(machine.hostId);
    if (place === undefined) continue;
    await retrying(async () => {
      const host = await load(world.table, Host.noun, Keys.host(cluster.workspace, cluster.id, place.rank));
      const isIts = host?.generation === machine.generation && host.try === machine.try;
      if (!isIts || host.machineId === machine.machineId) return;
      await world.table.write([amend<Host.Host>(Host.noun, host, { machineId: machine.machineId }).write]);
    });
  }
}
