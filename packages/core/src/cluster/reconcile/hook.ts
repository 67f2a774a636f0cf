/**
 * Before the machines go: every host that is up is told to run the policy's hook, and is waited for until it says that this is
 * over, whatever came of it; but never for longer than the policy allows, by this clock, and than hosts take to be told. Its
 * jobs have ended before.
 */
import * as Actor from "../../actor/actor.ts";
import { POLL_IDLE } from "../../agent/protocol.ts";
import * as Event from "../../event/event.ts";
import type * as Host from "../../host/host.ts";
import { kick } from "../../host/kick.ts";
import { pulsesOf } from "../../host/pulses.ts";
import * as Id from "../../id.ts";
import * as Keys from "../../keys.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { amend } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { idOf, limitOf } from "../hook.ts";
import { hostsOf } from "../register.ts";
import { later } from "./later.ts";
import type { In, Outcome } from "./step.ts";

const MINUTE = 60_000;

/** How often it is looked whether it is over, in ms; and after its first minute. */
const LOOK = 5_000;
const LATER_LOOK = 15_000;

/** How long it may take until a host has been told, in ms: a kick may be lost. */
const TOLD_WITHIN = POLL_IDLE;

type Leaving = In<"stopping" | "draining">;

/** @returns undefined when there is nothing to wait for. */
export async function hook(world: World, cluster: Leaving): Promise<Outcome | undefined> {
  const { hookBy } = cluster;
  if (hookBy === undefined) return undefined;
  const limit = limitOf(Cluster.policyOf(cluster));
  const waits = limit === undefined ? [] : await unfinished(world, cluster);
  if (limit === undefined || waits.length === 0) return close(world, cluster, 0);
  const now = world.clock.now();
  // The end of its lifetime waits for nothing.
  if (hookBy === 0) return begin(world, cluster, Math.min(now + TOLD_WITHIN + limit, cluster.endBy ?? Infinity), waits);
  if (now >= hookBy) return close(world, cluster, waits.length);
  const isSoon = now < hookBy - limit - TOLD_WITHIN + MINUTE;
  return later(world, cluster, Math.min(hookBy, now + (isSoon ? LOOK : LATER_LOOK)));
}

async function begin(world: World, cluster: Leaving, hookBy: number, ranks: readonly number[]): Promise<Outcome> {
  const patch = { hookBy, dueAt: world.clock.now() + LOOK };
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write]);
  await kick(world, { workspace: cluster.workspace, clusterId: cluster.id }, ranks);
  return "wait";
}

/** Ranks of the hosts that are up and have not said that it is over. */
async function unfinished(world: World, cluster: Leaving): Promise<number[]> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  // Beyond them are those of a growth that came to nothing.
  const isThere = ({ state, rank }: Host.Host) => state === "up" && rank < cluster.nodes;
  const hosts = (await hostsOf(world.table, ref)).filter(isThere);
  const pulses = await pulsesOf(world.table, ref);
  return hosts.map(host => host.rank).filter(rank => pulses.get(rank)?.hooked?.id !== idOf(cluster));
}

/** From here on its machines have as long as without a hook. */
async function close(world: World, cluster: Leaving, late: number): Promise<Outcome> {
  const now = world.clock.now();
  const patch = { hookBy: undefined, dueAt: now, ...(cluster.state === "draining" && { drainingSince: now }) };
  const told: Write[] = late === 0 ? [] : [{ put: lateEvent(world, cluster, late), expect: "absent" }];
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write, ...told]);
  return "again";
}

function lateEvent(world: World, { workspace, id, nodes }: Leaving, late: number) {
  return Event.draft(Keys.cluster(workspace, id), Actor.system(workspace), {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: id,
    kind: "cluster.hook_late",
    clusterId: id,
    message: `the hook was not over in time on ${late} of ${nodes} hosts: its machines do not wait any longer`,
  });
}
