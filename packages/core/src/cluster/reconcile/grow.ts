/**
 * growing → launching: a cluster that works gets more machines, as further groups of its launch.
 *
 * Lifecycle: each of the new groups is launched as any group is; when their hosts have called, the cluster is ready again,
 * and its jobs have run on meanwhile. When that comes to nothing it leads back here with its failure: what was made for the
 * new groups is ended, and the cluster is what it was before.
 */
import * as Actor from "../../actor/actor.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { groupsOf, nodesOf } from "../group.ts";
import { hostsOf } from "../register.ts";
import * as Slots from "../slots.ts";
import { afford, costOf, runningHeld } from "./afford.ts";
import { clear } from "./clear.ts";
import { renewed } from "./expect.ts";
import { nextGroup } from "./plan.ts";
import { providerOf } from "./provider.ts";
import type { In, Outcome } from "./step.ts";

export async function grow(world: World, cluster: In<"growing">): Promise<Outcome> {
  if (cluster.failure) return shrink(world, cluster, cluster.failure);
  const { offer, made = [], answeredAt, madeAt } = cluster.launch;
  return nextGroup(world, cluster, {
    try: Cluster.lastTry(cluster.launch),
    made: [...made, { ...offer, try: cluster.launch.try }],
    madeAt: answeredAt ?? madeAt,
  });
}

async function shrink(world: World, cluster: In<"growing">, setback: Cluster.Failure): Promise<Outcome> {
  const launch = launchBefore(cluster);
  const kept = new Set(Cluster.triesOf(launch));
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const machines = (await providerOf(world, cluster).observe(ref)).filter(
    // Nor those of a later growth: whoever stood still in here must not end them.
    ({ generation, try: made }) =>
      generation === cluster.generation && made <= Cluster.lastTry(cluster.launch) && !kept.has(made),
  );
  if (!(await clear(world, cluster, machines))) return "wait";
  const groups = groupsOf(cluster).slice(0, cluster.before.groups);
  const nodes = nodesOf(groups);
  await restHosts(world, cluster, nodes);
  const cost = costOf({ ...cluster, groups, nodes }, Cluster.kindsOf({ ...cluster, launch }));
  const holds = runningHeld({ ...cluster, groups, nodes, launch });
  const { share, writes } = await afford(world, cluster, { takes: cost, holds, hourly: cost });
  const { spot } = cluster.before;
  const patch = { launch, groups, nodes, spot, setback, ...share, dueAt: world.clock.now() };
  const actor = Actor.system(cluster.workspace);
  const move = advance<Cluster.Cluster, Cluster.State, "stay">(world, Cluster.kind, actor, cluster, "stay", patch, {
    message: setback.message,
  });
  // It was waited for: only from now on is it idle.
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  const rest = slots ? [amend(Slots.noun, slots, { idleSince: world.clock.now() }).write] : [];
  await world.table.write([...move.writes, ...writes, ...rest]);
  return "again";
}

/** As it was, but for the tries that have been used since. */
export function launchBefore({ launch, before }: In<"growing">): Cluster.Launch {
  const made = launch.made?.slice(0, before.groups - 1) ?? [];
  return { ...before.launch, ...(made.length > 0 && { made }), last: Cluster.lastTry(launch) };
}

/**
 * One at a time: they may be many. Their machines are gone; should it grow again, they are of another try. Written only while
 * the cluster is as it was read: by then they may be the hosts of a later growth, and work.
 */
async function restHosts(world: World, cluster: In<"growing">, nodes: number): Promise<void> {
  const hosts = await hostsOf(world.table, { workspace: cluster.workspace, clusterId: cluster.id });
  for (const host of hosts)
    if (host.rank >= nodes && (host.state !== "expected" || host.tokenHash !== undefined))
      await world.table.write([
        ...renewed(world, host, host).writes,
        { check: Cluster.noun.key(cluster), expect: cluster.version },
      ]);
}
