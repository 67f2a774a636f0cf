/** Ran against: core on SQLite in memory, with a provider of ours that saves images. */
import * as Create from "@muster/core/cluster/create.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import { reconcile as reconcileCluster } from "@muster/core/cluster/reconcile/reconcile.ts";
import { reconcile } from "@muster/core/image/reconcile.ts";
import { remove } from "@muster/core/image/remove.ts";
import { save } from "@muster/core/image/save.ts";
import * as Launch from "@muster/core/launch/create.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { imageRef, saved, saving } from "../support/images.ts";
import { clusterRequest, code, launchRequest, passing, ref } from "../support/requests.ts";
import { ADA, BEN, EVE } from "../support/world.ts";

const of = imageRef;
const named = (image: string) => clusterRequest({ name: "next", resources: { image } });

test("machines start from an image by its name, as it was when they were asked for", async () => {
  const { world, id } = await saved({ name: "base" });
  const { id: clusterId } = await Create.create(world, BEN, named("muster:Base"));
  await reconcileCluster(world, ref(clusterId));
  const kept = { id, name: "base", provider: "fake", ref: `fake-${id}`, instanceType: "small", size: 8 };
  expect(world.provider.intents.at(-1)?.resources).toMatchObject({ image: "muster:Base", saved: kept });
  const task = Task.parse({ run: "true", resources: { image: "muster:base" } });
  const launched = await Launch.create(world, BEN, { ...launchRequest, cluster: "more", task });
  expect(launched.job).toBeDefined();
  expect((await Launch.plan(world, BEN, { ...launchRequest, cluster: "third", task })).provider).toBe("fake");
});

test("an image of another workspace is none; one that is not ready, or on another provider, is refused", async () => {
  const { world, images, id } = await saving({ name: "base" });
  expect(await code(Create.create(world, BEN, named("muster:base")))).toBe("conflict");
  images.state = "complete";
  await reconcile(world, of(id));
  expect(await code(Create.create(world, EVE, named("muster:base")))).toBe("not_found");
  expect(await code(Create.create(world, EVE, named(`muster:${id}`)))).toBe("not_found");
  expect(await code(Create.create(world, BEN, named("muster:bsae")))).toBe("not_found");
  const elsewhere = clusterRequest({ name: "next", resources: { image: "muster:base", provider: "aws" } });
  expect(await code(Create.create(world, BEN, elsewhere))).toBe("unsupported");
});

test("what a caller says of a saved image is not taken", () => {
  const saved = { id: "img_1", name: "base", provider: "fake", ref: "ami-1" };
  expect(Task.safeParse({ run: "true", resources: { image: "muster:base", saved } }).success).toBe(false);
  const one = { image: "muster:base", saved };
  expect(Task.safeParse({ run: "true", resources: { anyOf: [one] } }).success).toBe(false);
});

test("of several choices each has its own image, and what was said for all of them is not another's", async () => {
  const { world, images, id } = await saved({ name: "base" });
  images.state = "complete";
  const other = await save(world, ADA, { cluster: "demo", name: "other" });
  await reconcile(world, of(other.id));
  world.provider.full.add("small");
  const resources = {
    image: "muster:base",
    ordered: [{ instanceType: "small" }, { instanceType: "large", image: "muster:other" }],
  };
  const { id: clusterId } = await Create.create(world, ADA, clusterRequest({ name: "next", resources }));
  await reconcileCluster(world, ref(clusterId));
  const [first, second] = world.provider.intents.slice(-2).map(intent => intent.resources.saved?.id);
  expect([first, second]).toEqual([id, other.id]);
});

test("a launch whose image was removed meanwhile fails with that reason, and makes nothing", async () => {
  const { world } = await saved({ name: "base" });
  const { id } = await Create.create(world, ADA, named("muster:base"));
  await remove(world, ADA, "base");
  const calls = world.provider.intents.length;
  await reconcileCluster(world, ref(id));
  await passing(world, 1);
  expect(world.provider.intents).toHaveLength(calls);
  expect(await Clusters.get(world, ADA, id)).toMatchObject({
    state: "failed",
    failure: { code: "image_removed", message: expect.stringContaining("'base'") },
  });
});

test("a cluster that grows has the image that it began with, whatever has its name by now", async () => {
  const { world, images, id } = await saved({ name: "base" });
  const { id: clusterId } = await Create.create(world, ADA, { ...named("muster:base"), idle: "never" });
  await reconcileCluster(world, ref(clusterId));
  await enrollAll(world);
  await remove(world, ADA, "base");
  images.state = "complete";
  const other = await save(world, ADA, { cluster: "demo", name: "base" });
  await reconcile(world, of(other.id));
  await Create.create(world, ADA, { ...clusterRequest({ name: "next" }), nodes: 2 });
  await reconcileCluster(world, ref(clusterId));
  const grown = await Clusters.get(world, ADA, clusterId);
  expect(grown).toMatchObject({ state: "ready", nodes: 1, failure: { code: "image_removed" } });
  expect(world.provider.intents.filter(intent => intent.resources.saved?.id === other.id)).toEqual([]);
  expect(world.provider.intents.at(-1)?.resources.saved?.id).toBe(id);
});
