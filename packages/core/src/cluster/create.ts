/** Creating a cluster, or finding the one that has the name. */
import type { Actor } from "../actor/actor.ts";
import * as Budget from "../budget/take.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import { imaged } from "../image/resolve.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { maybeSpot } from "../provider/choices.ts";
import * as Choose from "../provider/choose.ts";
import { beginning } from "../quota/hold.ts";
import * as Quota from "../quota/quota.ts";
import { begin } from "../record.ts";
import { resolve } from "../target/resolve.ts";
import * as Cluster from "./cluster.ts";
import { estimated } from "./estimate.ts";
import { byName } from "./find.ts";
import * as Group from "./group.ts";
import { grown } from "./grow.ts";
import { madeUp } from "./name.ts";
import { policy } from "./policy.ts";
import * as Words from "./words.ts";

const MINUTE = 60_000;

/** How long a request may wait for its first reconciliation, in ms. */
const PLAN_WITHIN = 60_000;

/**
 * One that is there grows to what is asked for.
 * @throws MusterError `name_taken`, `no_offer`, `unsupported`, `conflict`, `over_budget`, `quota_exceeded`; `not_found` (a target).
 */
export const create = (world: Edge, actor: Actor, asked: Cluster.Create): Promise<Cluster.Info> =>
  retrying(async () => {
    const { request } = await resolve(world, actor, asked);
    const existing = request.name === undefined ? undefined : await byName(world.table, actor.workspace, request.name);
    if (existing) {
      const { next, writes } = await grown(world, actor, existing, request);
      await commit(world, actor, writes, Cluster.info(next));
      return Cluster.info(next);
    }
    const { cluster, writes } = await blueprint(world, actor, request);
    await commit(world, actor, writes, Cluster.info(cluster));
    return Cluster.info(cluster);
  });

/** What it is for, where that is not whoever comes. */
export interface Purpose {
  /** Id of the managed job that owns it. */
  readonly managedBy?: string | undefined;
  /** Name of the pool that keeps it ready. */
  readonly pool?: string | undefined;
}

/**
 * A new cluster and the writes that bring it into being: record, event, specification, the lock on its name, and its share
 * of the budget.
 */
export async function blueprint(
  world: Basics & Pick<Edge, "providers">,
  actor: Actor,
  request: Cluster.Create,
  { managedBy, pool }: Purpose = {},
): Promise<{ cluster: Cluster.Cluster; writes: readonly Write[] }> {
  if (request.name !== undefined) requireName(request.name);
  const { provider, groups } = await Choose.forRequest(world.providers, await imaged(world, actor, request));
  const spec = estimate(groups);
  const now = world.clock.now();
  const id = Id.create(world.random, "cluster");
  const spot = groups.some(maybeSpot);
  const takes = spec.groups.reduce((sum, group) => sum + group.takes, 0);
  const held = Quota.held(
    Group.nodesOf(groups),
    spec.groups.reduce((sum, group) => sum + (group.gpus ?? 0), 0),
  );
  const share = { user: actor.id, takes, hourly: 0, extra: 0 };
  const { idle, writes: words } = Words.begun(
    { workspace: actor.workspace, id },
    policy(provider, { ...request, spot }),
  );
  const holds = beginning({ workspace: actor.workspace, clusterId: id }, held);
  const cluster: Cluster.Cluster = {
    id,
    workspace: actor.workspace,
    name: request.name ?? madeUp(id),
    owner: actor.id,
    shared: request.shared,
    provider: provider.name,
    nodes: Group.nodesOf(groups),
    groups: groups.map(Group.toGroup),
    generation: 1,
    idle,
    ...(spot && { spot }),
    ...(managedBy !== undefined && { managedBy }),
    ...(pool !== undefined && { pool }),
    ...(takes > 0 && { takes }),
    ...(request.maxConcurrentJobs !== undefined && { maxConcurrentJobs: request.maxConcurrentJobs }),
    ...(request.maxLifetime !== undefined && { endBy: now + request.maxLifetime * MINUTE }),
    createdAt: now,
    changedAt: now,
    state: "requested",
    dueAt: now + PLAN_WITHIN,
  };
  const asked = { ...Keys.clusterSpec(actor.workspace, id), type: "spec", data: spec };
  const lock = { ...Keys.clusterName(actor.workspace, cluster.name), type: "name", data: { clusterId: id } };
  return {
    cluster,
    writes: [
      ...begin(world, Cluster.noun, actor, cluster),
      { put: asked, expect: "absent" },
      ...words,
      { put: lock, expect: "absent" },
      ...(await Budget.take(world, actor.workspace, [share], true, holds.counts)),
      ...holds.writes,
    ],
  };
}

/** What each group is to be, and what it takes by its first offer. */
const estimate = (groups: readonly (Group.Create & Choose.Found)[]): Cluster.Spec => ({
  groups: groups.map(estimated),
});

/** A name that looks like an id would be taken for one. @throws MusterError `invalid_request`. */
export function requireName(name: string): void {
  if (Cluster.isName(name)) return;
  throw new MusterError("invalid_request", `'${name}' cannot be a cluster's name`, {
    issues: [{ path: "name", message: Cluster.NOT_A_NAME }],
    hint: "choose another name with: -c NAME",
  });
}
