/** Ran against: core on SQLite in memory, with a provider of ours whose images are done when the test says so. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import { reconcile as reconcileCluster } from "@muster/core/cluster/reconcile/reconcile.ts";
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Read from "@muster/core/image/read.ts";
import { reconcile } from "@muster/core/image/reconcile.ts";
import { remove } from "@muster/core/image/remove.ts";
import { save } from "@muster/core/image/save.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { imageRef, imageState, imaging, saved, saving } from "../support/images.ts";
import { movable } from "../support/movable.ts";
import { code, jobRequest, MINUTE, passing, readyCluster, ref, stateOf, stoppedCluster } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...BEN, role: "admin" } as const;
const of = imageRef;
const stillStopped = async (world: TestWorld) => (await Clusters.get(world, ADA, "demo")).state === "stopped";

test("the disk of a stopped cluster's first host becomes an image, once, and the cluster may start when it is taken", async () => {
  const { world, images, clusterId, id } = await saving({ name: "base" });
  await reconcile(world, of(id));
  const intent = { imageId: id, clusterId, generation: 1, label: { name: "base", owner: ADA.id, cluster: "demo" } };
  expect(images.intents).toMatchObject([intent]);
  expect(await Read.get(world, ADA, "BASE")).toMatchObject({ state: "saving", takenAt: world.clock.now() });
  await Change.start(world, ADA, "demo");
  await passing(world, 2);
  expect([await imageState(world, id), images.intents.length]).toEqual(["saving", 1]);
  images.end("complete");
  await passing(world, 1);
  expect(await Read.get(world, ADA, "base")).toMatchObject({ state: "ready", ref: `fake-${id}`, size: 8 });
  const kinds = (await Read.events(world, ADA, "base", { limit: 100 })).items.map(event => event.kind);
  expect(kinds).toEqual(["image.saving", "image.ready"]);
});

test("the doorbell begins what was asked for, and what is to be removed", async () => {
  const { world, images, id } = await saving();
  images.state = "complete";
  const ring = async () => {
    for (const change of world.changes.splice(0)) {
      const found = ringFor(change);
      if (found?.do === "image") await answer(world, found);
    }
  };
  await ring();
  expect(await imageState(world, id)).toBe("ready");
  world.clock.pass(20 * MINUTE);
  await remove(world, ADA, "demo");
  await ring();
  expect([await imageState(world, id), images.held.size]).toEqual(["removed", 0]);
});

test("only a cluster that stands still is saved, and the next step is said", async () => {
  const { world } = imaging();
  const { id } = await readyCluster(world, { idle: "never" });
  const failure = await save(world, ADA, { cluster: "demo" }).catch((error: unknown) => error as MusterError);
  expect(failure).toMatchObject({ code: "conflict", details: { hint: expect.stringContaining("muster stop demo") } });
  await Change.stop(world, ADA, "demo");
  expect(await code(save(world, ADA, { cluster: "demo" }))).toBe("conflict");
  await reconcileCluster(world, ref(id));
  expect(await code(save(world, BEN, { cluster: "demo" }))).toBe("forbidden");
  expect(await code(save(world, EVE, { cluster: "demo" }))).toBe("not_found");
  expect(await code(save(world, ADMIN, { cluster: "demo" }))).toBe("nothing");
});

test("a cluster with jobs in its queue is not saved, nor any where nobody saves images", async () => {
  const { world } = imaging();
  const { id } = await readyCluster(world, { idle: "never" });
  await submit(world, ADA, id, jobRequest());
  await reconcileCluster(world, ref(id));
  await submit(world, ADA, id, jobRequest());
  await Change.stop(world, ADA, "demo");
  await passing(world, 3);
  expect(await stateOf(world, id)).toBe("stopped");
  expect(await save(world, ADA, { cluster: "demo" }).catch(error => error)).toMatchObject({
    code: "conflict",
    message: expect.stringContaining("jobs wait"),
  });
  const plain = testWorld();
  await stoppedCluster(plain);
  expect(await code(save(plain, ADA, { cluster: "demo" }))).toBe("unsupported");
});

test("who starts the cluster in the moment in which it is to be saved is first", async () => {
  const { world } = imaging();
  await stoppedCluster(world);
  const late: typeof world.table = {
    get: key => world.table.get(key),
    query: world.table.query.bind(world.table),
    write: async writes => {
      if (await stillStopped(world)) await Change.start(world, ADA, "demo");
      return world.table.write(writes);
    },
  };
  expect(await code(save({ ...world, table: late }, ADA, { cluster: "demo" }))).toBe("conflict");
  expect((await Read.list(world, ADA, { limit: 10 })).items).toEqual([]);
});

test("a cluster whose disks are snapshots for now is not saved: no machine has them", async () => {
  const { world } = imaging();
  const copies = movable(world.provider);
  const { id } = await stoppedCluster(world);
  await Change.start(world, ADA, "demo", { move: true });
  await reconcileCluster(world, ref(id));
  copies.end("complete");
  for (const type of ["small", "large"]) world.provider.full.add(type);
  await passing(world, 3);
  expect(await stateOf(world, id)).toBe("stopped");
  const failure = await save(world, ADA, { cluster: "demo" }).catch(error => error);
  expect(failure).toMatchObject({ code: "conflict", message: expect.stringContaining("snapshots") });
});

test("a name is given once; one that failed makes room", async () => {
  const { world, images, id } = await saving({ name: "base" });
  expect(await code(save(world, ADA, { cluster: "demo", name: "Base" }))).toBe("name_taken");
  images.failing.set("save", new MusterError("quota_exceeded", "too many images"));
  await reconcile(world, of(id));
  expect(await Read.get(world, ADA, "base")).toMatchObject({ state: "failed", failure: { code: "quota_exceeded" } });
  images.failing.clear();
  const again = await save(world, ADA, { cluster: "demo", name: "base" });
  expect([again.id === id, await imageState(world, id)]).toEqual([false, "removing"]);
  expect((await Read.get(world, ADA, "base")).id).toBe(again.id);
});

test("a call whose answer was lost is made again, and finds its image", async () => {
  const { world, images, id } = await saving();
  images.loseAnswer = new MusterError("unavailable", "no answer");
  await expect(reconcile(world, of(id))).rejects.toThrow("no answer");
  expect(await imageState(world, id)).toBe("saving");
  await passing(world, 1);
  images.end("complete");
  await passing(world, 1);
  expect([await imageState(world, id), images.held.size]).toEqual(["ready", 1]);
});

test("a provider that is busy is asked again", async () => {
  const { world, images, id } = await saving();
  images.failing.set("save", new MusterError("busy", "not now"));
  await passing(world, 2);
  images.failing.clear();
  images.state = "complete";
  await passing(world, 1);
  expect([await imageState(world, id), images.intents.length]).toEqual(["ready", 3]);
});

test.each(["started", "ended"])("an image of a cluster that is %s before its disk is copied fails", async how => {
  const { world, images, id } = await saving();
  if (how === "started") await Change.start(world, ADA, "demo");
  else await Change.remove(world, ADA, "demo");
  await reconcile(world, of(id));
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "cluster_changed" } });
  expect(images.intents).toEqual([]);
});

test("nor is one kept of a disk that was in use while it was copied: also after another stop", async () => {
  const { world, images, id, clusterId } = await saving();
  images.state = "complete";
  images.meanwhile = async () => {
    await Change.start(world, ADA, "demo");
    await reconcileCluster(world, ref(clusterId));
    await enrollAll(world);
    world.clock.pass(1);
    await Change.stop(world, ADA, "demo");
    await reconcileCluster(world, ref(clusterId));
  };
  await reconcile(world, of(id));
  expect(await stateOf(world, clusterId)).toBe("stopped");
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "cluster_changed" } });
  expect(images.held.size).toBe(0);
});

test("two that look at once make one image", async () => {
  const { world, images, id } = await saving();
  images.state = "complete";
  images.meanwhile = () => reconcile(world, of(id));
  await reconcile(world, of(id));
  expect([await imageState(world, id), images.held.size]).toEqual(["ready", 1]);
});

test("a copy that fails, or takes more than a day, leaves nothing at the provider", async () => {
  for (const fate of ["failed", "slow"] as const) {
    const { world, images, id } = await saving();
    await reconcile(world, of(id));
    if (fate === "failed") images.end("failed");
    else world.clock.pass(25 * 60 * MINUTE);
    await passing(world, 1);
    expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "save_failed" } });
    await passing(world, 20);
    expect(images.held.size).toBe(0);
    const record = await world.table.get({ pk: `W#acme#I#${id}`, sk: "IMAGE" });
    expect(record?.data.dueAt).toBeUndefined();
  }
});

test("an image that was removed while its call was out is found and deleted, before it is called removed", async () => {
  const { world, images, id } = await saving();
  images.meanwhile = async () => {
    await remove(world, ADA, id);
    await reconcile(world, of(id));
  };
  await reconcile(world, of(id));
  expect([await imageState(world, id), images.held.size]).toEqual(["removing", 0]);
  // Another call that went out, and lands late.
  images.held.set(id, { ...of(id), createdAt: 0, state: "pending", ref: "late" });
  await passing(world, 9);
  expect(await imageState(world, id)).toBe("removing");
  await passing(world, 3);
  expect([await imageState(world, id), images.held.size]).toEqual(["removed", 0]);
});

test("removing never gives up, may be said twice, frees the name at once, and is its owner's or an admin's", async () => {
  const { world, images, id } = await saved();
  expect(await code(remove(world, BEN, "demo"))).toBe("forbidden");
  images.failing.set("delete", new MusterError("busy", "still in use"));
  await remove(world, ADMIN, "demo");
  expect((await remove(world, ADA, id)).state).toBe("removing");
  expect(await code(Read.get(world, ADA, "demo"))).toBe("not_found");
  await passing(world, 30);
  images.failing.set("delete", new MusterError("unavailable", "out of reach"));
  await passing(world, 30);
  expect([await imageState(world, id), images.held.size]).toEqual(["removing", 1]);
  images.failing.clear();
  await passing(world, 1);
  expect([await imageState(world, id), images.held.size]).toEqual(["removed", 0]);
  expect((await Read.list(world, ADA, { limit: 10 })).items).toEqual([]);
});

test("the sweep deletes images that no record owns after an hour, and those of records that are over; no others", async () => {
  const { world, images, id } = await saved();
  const orphan = (imageId: string, createdAt: number) =>
    images.held.set(imageId, { ...of(imageId), createdAt, state: "complete", ref: imageId });
  orphan("img_OLD", world.clock.now() - 61 * MINUTE);
  orphan("img_NEW", world.clock.now() - 59 * MINUTE);
  const late = await save(world, ADA, { cluster: "demo", name: "late" });
  await remove(world, ADA, "late");
  await reconcile(world, of(late.id));
  expect(await imageState(world, late.id)).toBe("removed");
  orphan(late.id, world.clock.now());
  await sweepOrphans(world);
  expect([...images.held.keys()]).toEqual([id, "img_NEW"]);
  images.failing.set("delete", new Error("broken"));
  world.clock.pass(2 * MINUTE);
  await sweepOrphans(world);
  expect(world.errors).toContain("an image without an owner could not be deleted");
});

test("with a table that refuses now and then, and lost answers, one image comes of it, and nothing is left of it", async () => {
  for (let refusals = 0; refusals < 6; refusals++) {
    const { world, images, id } = await saving();
    images.loseAnswer = new MusterError("unavailable", "no answer");
    world.refuse(refusals);
    await passing(world, 5);
    images.end("complete");
    await passing(world, 8);
    expect([await imageState(world, id), images.held.size]).toEqual(["ready", 1]);
    world.refuse(refusals);
    await remove(world, ADA, id).catch(() => remove(world, ADA, id));
    world.refuse(refusals);
    await passing(world, 20);
    expect([await imageState(world, id), images.held.size]).toEqual(["removed", 0]);
  }
});
