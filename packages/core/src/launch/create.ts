/** Launching: a cluster made or reused, and a job on it, in one transaction. */
import type { Actor } from "../actor/actor.ts";
import { starting } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Create from "../cluster/create.ts";
import { byName, requireManage } from "../cluster/find.ts";
import { requireFit } from "../cluster/fit.ts";
import { groupsOf } from "../cluster/group.ts";
import { commit, retrying } from "../commit.ts";
import * as Job from "../job/job.ts";
import * as Submit from "../job/submit.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import * as Choose from "../provider/choose.ts";
import type { Stored } from "../record.ts";
import * as Launch from "./launch.ts";

/** @throws MusterError `name_taken`, `no_offer`, `unsupported`, `conflict`, `invalid_request`: nothing was changed. */
export const create = (world: Edge, actor: Actor, request: Launch.Create): Promise<Launch.Info> =>
  retrying(async () => {
    const existing =
      request.cluster === undefined ? undefined : await byName(world.table, actor.workspace, request.cluster);
    const { cluster, writes } = existing
      ? await reuse(world, actor, request, existing)
      : await Create.blueprint(world, actor, wanted(request));
    const job = hasWork(request) ? Submit.blueprint(world, actor, cluster, jobOf(request)) : undefined;
    const answer: Launch.Info = {
      cluster: Cluster.info(cluster),
      ...(job && { job: Job.info(job.job) }),
      reused: existing !== undefined,
    };
    await commit(world, actor, [...writes, ...(job?.writes ?? [])], answer);
    return answer;
  });

/** What a launch would do; changes nothing. @throws what `create` would. */
export async function plan(world: Edge, actor: Actor, request: Launch.Create): Promise<Launch.Plan> {
  const existing =
    request.cluster === undefined ? undefined : await byName(world.table, actor.workspace, request.cluster);
  if (existing) {
    requireFit(actor, existing, wanted(request));
    // Where there are groups its hosts are of different kinds: none of their offers speaks for all.
    const launch = groupsOf(existing).length === 1 && "launch" in existing ? existing.launch : undefined;
    const offers = launch ? [launch.offer] : [];
    const { name, provider, nodes, idle } = existing;
    return { cluster: name, reused: true, provider, nodes, idle, offers };
  }
  const { resources, nodes } = request.task;
  const { provider, offers, barred } = await Choose.offers(world.providers, resources, nodes);
  return {
    ...(request.cluster !== undefined && { cluster: request.cluster }),
    reused: false,
    provider: provider.name,
    nodes,
    idle: Create.policy(provider, { ...wanted(request), spot: request.task.resources.spot }),
    offers: offers.map(offer => Cluster.Offer.parse(offer)),
    ...(barred.length > 0 && { barred: barred.map(one => Launch.Barred.parse(one)) }),
  };
}

const hasWork = (request: Launch.Create): boolean => request.task.run !== undefined || request.task.setup !== undefined;

const wanted = (request: Launch.Create): Cluster.Create => ({
  ...(request.cluster !== undefined && { name: request.cluster }),
  nodes: request.task.nodes,
  resources: request.task.resources,
  ...(request.idle !== undefined && { idle: request.idle }),
  ...(request.maxLifetime !== undefined && { maxLifetime: request.maxLifetime }),
  shared: request.shared,
});

const jobOf = (request: Launch.Create): Job.Submit => ({
  task: request.task,
  name: undefined,
  priority: request.priority,
  down: request.down,
});

/** A stopped cluster is started by a launch: whoever says its name wants it. */
async function reuse(
  world: Edge,
  actor: Actor,
  request: Launch.Create,
  cluster: Stored<Cluster.Cluster>,
): Promise<{ cluster: Cluster.Cluster; writes: readonly Write[] }> {
  requireFit(actor, cluster, wanted(request));
  if (request.down) requireManage(actor, cluster);
  if (cluster.state === "stopped") {
    const move = await starting(world, actor, cluster);
    return { cluster: move.next, writes: move.writes };
  }
  Cluster.requireOpen(cluster);
  return { cluster, writes: [] };
}
