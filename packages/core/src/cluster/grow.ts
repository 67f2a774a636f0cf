/** Growing: a ready cluster gets the hosts that a request asks for and that it does not have. It never gets fewer. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import { imaged } from "../image/resolve.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { chosenOf, maybeSpot } from "../provider/choices.ts";
import * as Choose from "../provider/choose.ts";
import * as Quota from "../quota/quota.ts";
import { advance, type Stored } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { estimated } from "./estimate.ts";
import { requireManage } from "./find.ts";
import { type Lacking, requireAlike, shortfall } from "./fit.ts";
import * as Group from "./group.ts";
import { requireStoppable } from "./policy.ts";
import { afford, gpusOf } from "./reconcile/afford.ts";
import { specItem } from "./reconcile/plan.ts";

/**
 * What the cluster would grow by; undefined when it lacks nothing.
 * @throws MusterError `conflict` when its machines are of another kind, or it is not ready; `no_offer`, `forbidden`.
 */
export async function growth(
  world: Pick<Edge, "table" | "providers">,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  request: Group.Request,
): Promise<Choose.Chosen | undefined> {
  requireAlike(actor, cluster, request);
  const lacking = shortfall(cluster, request);
  if (lacking.length === 0) return undefined;
  requireManage(actor, cluster);
  requireReady(cluster);
  requireOneKind(cluster, request);
  const { spec } = await specItem(world, cluster);
  const parts = lacking.map(one => partOf(one, cluster, spec));
  requireRoom(cluster, parts);
  return Choose.forRequest(world.providers, await imaged(world, actor, { groups: parts }), cluster.provider);
}

/**
 * The cluster as the request wants it, and the writes that begin that; as it is when it lacks nothing.
 * @throws MusterError as `growth`; `over_budget`, `quota_exceeded`, `unsupported`.
 */
export async function grown(
  world: Edge,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  request: Group.Request,
): Promise<{ next: Cluster.Cluster; writes: readonly Write[] }> {
  const chosen = await growth(world, actor, cluster, request);
  if (chosen === undefined) return { next: cluster, writes: [] };
  requireReady(cluster);
  const spot = cluster.spot || chosen.groups.some(maybeSpot);
  requireStoppable(chosen.provider, { spot }, Cluster.policyOf(cluster));
  const { item, spec } = await specItem(world, cluster);
  const known = Group.groupsOf(cluster);
  const added = chosen.groups.map(estimated);
  const takes = added.reduce((sum, group) => sum + group.takes, cluster.takes ?? 0);
  const gpus = added.reduce((sum, group) => sum + (group.gpus ?? 0), gpusOf(cluster, Cluster.kindsOf(cluster)));
  const holds = Quota.held(cluster.nodes + Group.nodesOf(chosen.groups), gpus);
  const { share, writes } = await afford(world, cluster, { takes, holds, begins: true });
  const groups = [...known, ...chosen.groups.map(Group.toGroup)];
  const move = advance<Cluster.Cluster, Cluster.State, "grow">(
    world,
    Cluster.kind,
    actor,
    cluster,
    "grow",
    {
      groups,
      nodes: Group.nodesOf(groups),
      before: { launch: cluster.launch, groups: known.length, ...(cluster.spot && { spot: true }) },
      dueAt: world.clock.now(),
      takes: share.takes,
      ...(spot && { spot }),
    },
    { message: `from ${cluster.nodes} to ${Group.nodesOf(groups)} hosts` },
  );
  const data: Cluster.Spec = { groups: [...spec.groups.slice(0, known.length), ...added] };
  const put = { put: { ...item, data }, expect: item.version };
  return {
    next: move.next,
    writes: [...move.writes, put, ...writes],
  };
}

/** The hosts that a group lacks, as a group of their own; what was not said of them is as in the group. */
function partOf({ name, has = 0, nodes, schedulable, resources }: Lacking, of: Cluster.Cluster, spec: Cluster.Spec) {
  const index = Group.groupsOf(of).findLastIndex(group => Group.isSame(group, { name }));
  const known = spec.groups[index];
  // Where it is says nothing of what it is.
  const { provider: _, ...said } = resources;
  const asked = Object.keys(said).length > 0 || known === undefined ? resources : asTaken(known, of, index);
  return { name, nodes: nodes - has, schedulable, resources: asked };
}

/** Of several choices the one that the group's machines are of. */
const asTaken = (group: Cluster.Spec["groups"][number], of: Cluster.Cluster, index: number) =>
  chosenOf(group, Cluster.kindsOf(of)[index] ?? {});

type Ready = Stored<Extract<Cluster.Cluster, { state: "ready" }>>;

function requireReady(cluster: Stored<Cluster.Cluster>): asserts cluster is Ready {
  if (cluster.state === "ready") return;
  const { name, state } = cluster;
  const isStill = state === "stopped" || state === "stopping";
  const hint = isStill ? `start it first: muster start ${name}` : `wait until it is ready: muster status ${name}`;
  const is = Cluster.takesJobs(cluster) ? `is growing to ${cluster.nodes} hosts already` : `is ${state}`;
  throw new MusterError("conflict", `cluster '${name}' ${is}: it grows only while it is ready`, { state, hint });
}

/** Hosts of which kind, where nobody says and there are several? */
function requireOneKind(cluster: Cluster.Cluster, request: Group.Request): void {
  const names = new Set(
    Group.groupsOf(cluster)
      .filter(Group.takesJobs)
      .map(group => group.name),
  );
  if (request.groups !== undefined || names.size < 2) return;
  throw new MusterError("conflict", `cluster '${cluster.name}' has several groups: ${[...names].join(", ")}`, {
    hint: "say in a file's groups which of them grows",
  });
}

function requireRoom(cluster: Cluster.Cluster, parts: readonly Group.Create[]): void {
  const nodes = cluster.nodes + Group.nodesOf(parts);
  if (nodes > Group.MOST_NODES)
    throw new MusterError("conflict", `a cluster has at most ${Group.MOST_NODES} hosts; it would have ${nodes}`);
  if (Group.groupsOf(cluster).length + parts.length > Group.MOST_PARTS)
    throw new MusterError("conflict", `cluster '${cluster.name}' has grown so often that it can no more`, {
      hint: `launch another one of ${nodes} hosts, under another name; or end it (muster down ${cluster.name}) and make it anew`,
    });
}
