/** Saving: the disk of a stopped cluster's first host becomes an image. The record comes first, then the provider's call. */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { find, requireManage } from "../cluster/find.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Host from "../host/id.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { advance, begin, load, type Stored } from "../record.ts";
import * as Image from "./image.ts";

type Stopped = Stored<Extract<Cluster.Cluster, { state: "stopped" }>>;

/**
 * @throws MusterError `not_found`, `forbidden`; `conflict` for a cluster that does not stand still, or has jobs waiting;
 * `unsupported` where its provider saves no images; `name_taken`; `quota_exceeded`.
 */
export const save = (world: Basics & Pick<Edge, "providers">, actor: Actor, asked: Image.Save): Promise<Image.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, asked.cluster);
    requireManage(actor, cluster);
    requireImages(world, cluster);
    requireStill(cluster);
    await requireNoQueue(world, cluster);
    const image = imageOf(world, actor, cluster, asked.name ?? cluster.name);
    const info = Image.info(image);
    const writes = [
      ...begin(world, Image.noun, actor, image),
      ...(await named(world, actor, image)),
      await counting(world, actor, "images"),
      // Only while the cluster is as it was read.
      { check: Cluster.noun.key(cluster), expect: cluster.version },
    ];
    await commit(world, actor, writes, info);
    return info;
  });

function imageOf(world: Basics, actor: Actor, cluster: Stopped, name: string): Image.Image {
  const now = world.clock.now();
  return {
    id: Id.create(world.random, "image"),
    workspace: cluster.workspace,
    name,
    owner: actor.id,
    provider: cluster.provider,
    source: {
      clusterId: cluster.id,
      clusterName: cluster.name,
      hostId: Host.idOf(cluster.id, 0),
      generation: cluster.generation,
      stoppedAt: cluster.changedAt,
    },
    instanceType: Cluster.kindsOf(cluster)[0]?.instanceType ?? "",
    createdAt: now,
    changedAt: now,
    state: "saving",
    dueAt: now,
  };
}

function requireImages({ providers }: Pick<Edge, "providers">, { provider }: Cluster.Cluster): void {
  if (providers.get(provider)?.capabilities.image) return;
  throw new MusterError("unsupported", `provider '${provider}' saves no images`);
}

/** @throws MusterError `conflict` with the next step, unless the disk stands still and is the machine's own. */
function requireStill(cluster: Stored<Cluster.Cluster>): asserts cluster is Stopped {
  Cluster.requireShareable(cluster);
  const { name, state } = cluster;
  if (state !== "stopped") {
    const hint = cluster.spot
      ? "spot machines cannot be stopped, only ended: make it on demand, then stop and save it"
      : `muster stop ${name}; then muster image save ${name}, and muster start ${name} when that is done`;
    const message = `cluster '${name}' is ${state}: its disk is saved only while it is stopped`;
    throw new MusterError("conflict", message, { state, hint });
  }
  if (cluster.snapshotOf === undefined) return;
  throw new MusterError("conflict", `cluster '${name}' was moving: its disks are snapshots, and no machine has them`, {
    state,
    hint: `let it get machines first: muster start ${name}; then stop and save it`,
  });
}

/** Jobs that wait may start it at any time. */
async function requireNoQueue({ table }: Pick<Basics, "table">, cluster: Cluster.Cluster): Promise<void> {
  const { pk } = Keys.cluster(cluster.workspace, cluster.id);
  const { items } = await table.query({ pk, prefix: "Q#", limit: 1 });
  if (items.length === 0) return;
  throw new MusterError("conflict", `jobs wait for cluster '${cluster.name}', and will use its disk`, {
    state: cluster.state,
    hint: `see them with: muster queue ${cluster.name}; cancel them, or let them run first`,
  });
}

/** The lock on the image's name. One that failed makes room for another of its name. */
async function named(world: Basics, actor: Actor, { workspace, name, id }: Image.Image): Promise<readonly Write[]> {
  const key = Keys.imageName(workspace, name);
  const put = { ...key, type: "name", data: { imageId: id } };
  const lock = await world.table.get(key);
  if (lock === undefined) return [{ put, expect: "absent" }];
  const known = await load(world.table, Image.noun, Keys.image(workspace, String(lock.data.imageId)));
  const write: Write = { put, expect: lock.version };
  if (known?.state === "failed") {
    const patch = { dueAt: world.clock.now() };
    return [
      write,
      ...advance<Image.Image, Image.State, "remove">(world, Image.kind, actor, known, "remove", patch).writes,
    ];
  }
  if (known === undefined) return [write];
  throw new MusterError("name_taken", `there is an image '${known.name}', of ${known.owner}`, {
    hint: `choose another name: --name NAME; or remove that one first: muster image remove ${known.name}`,
  });
}
