/** Creating a cluster, or finding the one that has the name. */
import type { Actor } from "../actor/actor.ts";
import * as Budget from "../budget/budget.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics, Edge } from "../ports/world.ts";
import * as Choose from "../provider/choose.ts";
import { begin } from "../record.ts";
import type { Resources } from "../task/task.ts";
import * as Cluster from "./cluster.ts";
import { byName, requireUse } from "./find.ts";
import * as Idle from "./idle.ts";

const MINUTE = 60_000;

/** How long a request may wait for its first reconciliation, in ms. */
const PLAN_WITHIN = 60_000;

/** @throws MusterError `name_taken`, `no_offer`, `unsupported`, `conflict`. */
export const create = (world: Edge, actor: Actor, request: Cluster.Create): Promise<Cluster.Info> =>
  retrying(async () => {
    const existing = request.name === undefined ? undefined : await byName(world.table, actor.workspace, request.name);
    if (existing) {
      requireFit(actor, existing, request);
      await commit(world, actor, [], Cluster.info(existing));
      return Cluster.info(existing);
    }
    const { cluster, writes } = await blueprint(world, actor, request);
    await commit(world, actor, writes, Cluster.info(cluster));
    return Cluster.info(cluster);
  });

/**
 * A new cluster and the writes that bring it into being: record, event, specification, the lock on its name, and its share
 * of the budget.
 */
export async function blueprint(
  world: Basics & Pick<Edge, "providers">,
  actor: Actor,
  request: Cluster.Create,
): Promise<{ cluster: Cluster.Cluster; writes: readonly Write[] }> {
  if (request.name !== undefined) requireName(request.name);
  const { provider, offers } = await Choose.offers(world.providers, request.resources, request.nodes);
  const now = world.clock.now();
  const id = Id.create(world.random, "cluster");
  const takes = Budget.amountOf(offers[0], request.nodes);
  const cluster: Cluster.Cluster = {
    id,
    workspace: actor.workspace,
    name: request.name ?? `run-${id.slice(-6).toLowerCase()}`,
    owner: actor.id,
    shared: request.shared,
    provider: provider.name,
    nodes: request.nodes,
    generation: 1,
    idle: policy(provider, request),
    ...(takes > 0 && { takes }),
    ...(request.maxLifetime !== undefined && { endBy: now + request.maxLifetime * MINUTE }),
    createdAt: now,
    changedAt: now,
    state: "requested",
    dueAt: now + PLAN_WITHIN,
  };
  const spec = { ...Keys.clusterSpec(actor.workspace, id), type: "spec", data: { resources: request.resources } };
  const lock = { ...Keys.clusterName(actor.workspace, cluster.name), type: "name", data: { clusterId: id } };
  return {
    cluster,
    writes: [
      ...begin(world, Cluster.noun, actor, cluster),
      { put: spec, expect: "absent" },
      { put: lock, expect: "absent" },
      ...(await Budget.take(world.table, actor.workspace, takes)),
    ],
  };
}

/** A name that looks like an id would be taken for one. @throws MusterError `invalid_request`. */
function requireName(name: string): void {
  if (Cluster.isName(name)) return;
  throw new MusterError("invalid_request", `'${name}' cannot be a cluster's name`, {
    issues: [{ path: "name", message: Cluster.NOT_A_NAME }],
    hint: "choose another name with: -c NAME",
  });
}

/** The idle policy that a request gets: as asked, else the default for a cluster with a name, or for one without. */
export function policy(
  provider: { readonly name: string; readonly capabilities: { readonly stop: boolean } },
  request: { readonly name?: string | undefined; readonly idle?: Idle.Idle | undefined },
): Idle.Idle {
  if (request.idle !== undefined) {
    requireStoppable(provider, request.idle);
    return request.idle;
  }
  return request.name === undefined || !provider.capabilities.stop ? Idle.DEFAULT_UNNAMED : Idle.DEFAULT;
}

/** @throws MusterError `unsupported` when the policy stops machines that cannot be stopped. */
export function requireStoppable(
  provider: { readonly name: string; readonly capabilities: { readonly stop: boolean } },
  idle: Idle.Idle,
): void {
  if (idle === "never" || idle.action === "terminate" || provider.capabilities.stop) return;
  throw new MusterError("unsupported", `provider '${provider.name}' cannot stop machines`, {
    issues: [{ path: "idle.action", message: "this provider's machines can only be terminated" }],
    hint: "use action: terminate",
  });
}

/** @throws MusterError `name_taken` or `conflict` when the cluster of that name cannot stand in for the one asked for. */
export function requireFit(
  actor: Actor,
  cluster: Cluster.Cluster,
  request: Pick<Cluster.Create, "nodes" | "resources">,
): void {
  if (cluster.owner !== actor.id && !cluster.shared)
    throw new MusterError(
      "name_taken",
      `the name '${cluster.name}' is taken: its cluster belongs to ${cluster.owner}`,
      {
        hint: "choose another name with: -c NAME",
      },
    );
  requireUse(actor, cluster);
  if (Cluster.isLeaving(cluster))
    throw new MusterError("conflict", `cluster '${cluster.name}' is being removed`, {
      state: cluster.state,
      hint: "wait until it has gone (muster status), or choose another name",
    });
  if (request.nodes > cluster.nodes)
    throw new MusterError(
      "conflict",
      `cluster '${cluster.name}' has ${cluster.nodes} hosts; ${request.nodes} were asked for`,
      {
        hint: `ask for at most ${cluster.nodes}, or choose another name`,
      },
    );
  requireMachines(cluster, request.resources);
}

/** Asking for nothing always fits; a cluster whose machines are not yet chosen takes what comes. */
function requireMachines(cluster: Cluster.Cluster, wanted: Resources): void {
  const offer = "launch" in cluster ? cluster.launch?.offer : undefined;
  const amiss =
    wanted.provider !== undefined && wanted.provider !== cluster.provider
      ? `is on '${cluster.provider}', not on '${wanted.provider}'`
      : offer && lack(offer, wanted);
  if (amiss === undefined) return;
  throw new MusterError("conflict", `cluster '${cluster.name}' ${amiss}`, {
    hint: "choose another name with: -c NAME",
  });
}

/** What the hosts have too little of, as the rest of a sentence; undefined when they have enough. */
function lack(offer: Cluster.Launch["offer"], { accelerators = {}, cpus, memory }: Resources): string | undefined {
  const asked = Object.entries(accelerators);
  if (asked.length > 0 && !asked.some(([name, count]) => countOf(offer.accelerators, name) >= count))
    return `has ${sentence(offer.accelerators, " and ")} per host; ${sentence(accelerators, " or ")} was asked for`;
  if (cpus && cpus.count > offer.cpus) return `has ${offer.cpus} CPUs per host; ${cpus.count} were asked for`;
  if (memory && memory.gib > offer.memory)
    return `has ${offer.memory} GiB of memory per host; ${memory.gib} were asked for`;
  return undefined;
}

/** How many of them there are. Some providers know short names (`H100`), others the driver's (`NVIDIA H100 80GB HBM3`). */
function countOf(accelerators: Cluster.Launch["offer"]["accelerators"], name: string): number {
  const words = wordsOf(name);
  const counts = Object.entries(accelerators).map(([known, count]) => {
    const has = new Set(wordsOf(known));
    return words.every(word => has.has(word)) ? count : 0;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

const wordsOf = (name: string): string[] => name.toLowerCase().split(/[^a-z0-9]+/);

function sentence(accelerators: Readonly<Record<string, number>>, joint: string): string {
  const parts = Object.entries(accelerators).map(([name, count]) => `${name}:${count}`);
  return parts.length === 0 ? "no accelerator" : parts.join(joint);
}
