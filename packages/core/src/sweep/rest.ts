/** The sweep of what machines leave behind: snapshots, images, and whatever else a provider makes for a cluster. */
import * as Cluster from "../cluster/cluster.ts";
import { orphanedImages } from "../image/sweep.ts";
import * as Keys from "../keys.ts";
import type { Machine, MachineProvider, MoveRef } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import type { Finding, Swept } from "./finding.ts";
import { isIn, type Scope } from "./scope.ts";
import { surviving } from "./surviving.ts";

/** Snapshots that are nobody's disks any more, or never became that. */
export async function sweepSnapshots(world: World, provider: MachineProvider, scope: Scope): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const ref of ((await provider.snapshots?.()) ?? []).filter(one => isIn(scope, one))) {
    const about = { provider: provider.name, cluster: ref.clusterId, move: ref.move };
    const finding = await surviving(
      world,
      "snapshots could not be looked at",
      about,
      () => strayOf(world, provider, ref),
      scope.tell,
    );
    if (finding === undefined) continue;
    const outcome = await done(world, scope, "snapshots could not be deleted", about, async () => {
      await provider.deleteSnapshots?.(ref);
    });
    swept.push({ ...finding, outcome });
  }
  return swept;
}

async function strayOf(world: World, { name }: MachineProvider, ref: MoveRef): Promise<Finding | undefined> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));
  if (cluster !== undefined && Cluster.keepsSnapshots(cluster, ref.move)) return undefined;
  const why =
    cluster === undefined
      ? "there is no record of its cluster"
      : `cluster '${cluster.name}' does not need them any more`;
  const { workspace, clusterId, move } = ref;
  return { workspace, provider: name, kind: "snapshots", id: `${clusterId}/${move}`, clusterId, act: "delete", why };
}

/** Images at a provider that no record owns, or that were removed: they cost what they cost until they are deleted. */
export async function sweepImages(world: World, provider: MachineProvider, scope: Scope): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const { why, ...found } of await orphanedImages(world, provider, scope)) {
    const { workspace, imageId: id, createdAt: since } = found;
    const about = { provider: provider.name, image: id };
    const outcome = await done(world, scope, "an image without an owner could not be deleted", about, async () => {
      await provider.deleteImage?.(found);
    });
    swept.push({ workspace, provider: provider.name, kind: "image", id, since, act: "delete", why, outcome });
  }
  return swept;
}

/** @param machines all that the provider has. */
export async function sweepLeftovers(
  world: World,
  provider: MachineProvider,
  machines: readonly Machine[],
  scope: Scope,
): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const left of ((await provider.leftovers?.(machines)) ?? []).filter(one => isIn(scope, one))) {
    const { workspace, clusterId, kind, id, since } = left;
    const about = { provider: provider.name, [kind]: id };
    const outcome = await done(world, scope, "something left by a cluster could not be deleted", about, async () => {
      await provider.removeLeftover?.(left);
    });
    const why = "its cluster has no machines any more";
    swept.push({ workspace, provider: provider.name, kind, id, clusterId, since, act: "delete", why, outcome });
  }
  return swept;
}

async function done(
  world: World,
  { isDry = false, tell }: Scope,
  failure: string,
  about: Readonly<Record<string, unknown>>,
  run: () => Promise<void>,
): Promise<Swept["outcome"]> {
  if (isDry) return "found";
  const is = await surviving(
    world,
    failure,
    about,
    async () => {
      await run();
      return true;
    },
    tell,
  );
  return is ? "done" : "failed";
}
