/** Growing: a ready cluster gets the hosts that a request asks for and that it does not have. It never gets fewer. */
import type { Actor } from "../actor/actor.ts";
import * as Budget from "../budget/budget.ts";
import { MusterError } from "../error.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import * as Choose from "../provider/choose.ts";
import { advance, type Stored } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { requireManage } from "./find.ts";
import { type Lacking, requireAlike, shortfall } from "./fit.ts";
import * as Group from "./group.ts";
import { requireStoppable } from "./policy.ts";
import { specItem } from "./reconcile/plan.ts";

/**
 * The cluster as the request wants it, and the writes that begin that; as it is when it lacks nothing.
 * @throws MusterError `conflict` when its machines are of another kind, or it is not ready; `no_offer`, `over_budget`,
 * `forbidden`, `unsupported`.
 */
export async function grown(
  world: Edge,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  request: Group.Request,
): Promise<{ next: Cluster.Cluster; writes: readonly Write[] }> {
  requireAlike(actor, cluster, request);
  const lacking = shortfall(cluster, request);
  if (lacking.length === 0) return { next: cluster, writes: [] };
  requireManage(actor, cluster);
  requireReady(cluster);
  const { launch } = cluster;
  const { item, spec } = await specItem(world, cluster);
  const known = Group.groupsOf(cluster);
  const parts = lacking.map(one => partOf(one, cluster, spec));
  requireRoom(cluster, parts);
  const chosen = await Choose.forRequest(world.providers, { groups: parts });
  const costs = chosen.groups.map(({ resources, nodes, offers }) => ({
    resources,
    takes: Budget.amountOf(offers[0], nodes),
  }));
  const more = costs.reduce((sum, { takes }) => sum + takes, 0);
  const groups = [...known, ...parts.map(Group.toGroup)];
  const spot = cluster.spot || parts.some(part => part.resources.spot);
  requireStoppable(chosen.provider, { spot }, Cluster.policyOf(cluster));
  const move = advance<Cluster.Cluster, Cluster.State, "grow">(world, Cluster.kind, actor, cluster, "grow", {
    groups,
    nodes: Group.nodesOf(groups),
    before: { launch, groups: known.length },
    dueAt: world.clock.now(),
    takes: (cluster.takes ?? 0) + more || undefined,
    ...(spot && { spot }),
  });
  const data: Cluster.Spec = { groups: [...spec.groups.slice(0, known.length), ...costs] };
  return {
    next: move.next,
    writes: [
      ...move.writes,
      { put: { ...item, data }, expect: item.version },
      ...(await Budget.take(world.table, cluster.workspace, more)),
    ],
  };
}

/** The hosts that a group lacks, as a group of their own; what was not said of them is as in the group. */
function partOf({ name, has = 0, nodes, schedulable, resources }: Lacking, of: Cluster.Cluster, spec: Cluster.Spec) {
  const index = Group.groupsOf(of).findLastIndex(group => Group.isSame(group, { name }));
  const asked = Object.keys(resources).length > 0 ? resources : spec.groups[index]?.resources;
  return { name, nodes: nodes - has, schedulable, resources: { ...asked, provider: of.provider } };
}

type Ready = Stored<Extract<Cluster.Cluster, { state: "ready" }>>;

function requireReady(cluster: Stored<Cluster.Cluster>): asserts cluster is Ready {
  if (cluster.state === "ready") return;
  const isStill = cluster.state === "stopped" || cluster.state === "stopping";
  throw new MusterError("conflict", `cluster '${cluster.name}' is ${cluster.state}: it grows only while it is ready`, {
    state: cluster.state,
    hint: isStill ? `start it first: muster start ${cluster.name}` : "wait until it is ready: muster status",
  });
}

function requireRoom(cluster: Cluster.Cluster, parts: readonly Group.Create[]): void {
  const nodes = cluster.nodes + Group.nodesOf(parts);
  if (nodes > Group.MOST_NODES)
    throw new MusterError("conflict", `a cluster has at most ${Group.MOST_NODES} hosts; it would have ${nodes}`);
  if (Group.groupsOf(cluster).length + parts.length > Group.MOST_PARTS)
    throw new MusterError("conflict", `cluster '${cluster.name}' has grown too often`, {
      hint: "launch another one of the size that is needed, under another name",
    });
}
