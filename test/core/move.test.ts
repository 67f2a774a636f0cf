/** Ran against: core on SQLite in memory, with a provider of ours whose copies of disks are done when the test says so. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import type { MachineProvider } from "@muster/core/ports/provider.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { movable } from "../support/movable.ts";
import { code, jobRequest, MINUTE, passing, readyCluster, ref, stateOf, stoppedCluster } from "../support/requests.ts";
import { ADA, BEN, type TestWorld, testWorld } from "../support/world.ts";

const MOVE = { move: true };
const machinesOf = (world: TestWorld) => [...world.provider.machines.keys()].map(id => id.split("-")[1]);

async function moving(more = {}) {
  const world = testWorld();
  const copies = movable(world.provider);
  const { id } = await readyCluster(world, { idle: "never", ...more });
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(id));
  await Change.start(world, ADA, "demo", MOVE);
  await reconcile(world, ref(id));
  return { world, copies, id };
}

test("a moved cluster has other machines, made from its disks, and is ready when they have called", async () => {
  const { world, copies, id } = await moving({ nodes: 2 });
  expect([await stateOf(world, id), copies.moves(), machinesOf(world)]).toEqual([
    "moving",
    ["1 pending", "1 pending"],
    ["1", "1"],
  ]);
  copies.end("complete");
  await passing(world, 2);
  expect(world.provider.intents.at(-1)).toMatchObject({ generation: 2, try: 1, move: 1 });
  expect([await stateOf(world, id), machinesOf(world)]).toEqual(["booting", ["2", "2"]]);
  await sweepOrphans(world);
  expect(copies.moves()).toEqual(["1 complete", "1 complete"]);
  await enrollAll(world);
  expect(await stateOf(world, id)).toBe("ready");
  expect(await sweepOrphans(world)).toEqual([]);
  expect(copies.moves()).toEqual([]);
});

test("no machine is ended before every disk is copied", async () => {
  const { world, copies, id } = await moving({ nodes: 2 });
  const ended: string[] = [];
  world.provider.terminate = async ids => void ended.push(...ids);
  await passing(world, 60);
  await sweepOrphans(world);
  expect([await stateOf(world, id), ended, copies.moves()]).toEqual(["moving", [], ["1 pending", "1 pending"]]);
});

test("a copy that fails leaves the cluster stopped with its machines, and the next move begins anew", async () => {
  const { world, copies, id } = await moving();
  copies.end("failed");
  await passing(world, 1);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "move_failed" } });
  expect(machinesOf(world)).toEqual(["1"]);
  await Change.start(world, ADA, "demo", MOVE);
  await reconcile(world, ref(id));
  expect(copies.moves()).toEqual(["1 failed", "2 pending"]);
  await sweepOrphans(world);
  expect(copies.moves()).toEqual(["2 pending"]);
});

test("a cloud that refuses to copy leaves the cluster as it was; one that is busy is asked again", async () => {
  const { world, id } = await moving();
  const { snapshot } = world.provider as { snapshot?: MachineProvider["snapshot"] };
  let calls = 0;
  const failing = (failure: MusterError) => async () => {
    calls++;
    throw failure;
  };
  Object.assign(world.provider, { snapshot: failing(new MusterError("busy", "not now")) });
  await passing(world, 3);
  expect([await stateOf(world, id), calls]).toEqual(["moving", 3]);
  Object.assign(world.provider, { snapshot: failing(new MusterError("quota_exceeded", "too many snapshots")) });
  await passing(world, 1);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "quota_exceeded" } });
  Object.assign(world.provider, { snapshot });
  expect(machinesOf(world)).toEqual(["1"]);
});

test("disks that are not copied within a day stay where they are", async () => {
  const { world, id } = await moving();
  world.clock.pass(24 * 60 * MINUTE);
  await passing(world, 1);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "move_failed" } });
  expect(machinesOf(world)).toEqual(["1"]);
});

test("machines that end before they have called take no disks along: the snapshots are kept, and started from again", async () => {
  const { world, copies, id } = await moving({ nodes: 2 });
  copies.end("complete");
  await passing(world, 2);
  expect(await stateOf(world, id)).toBe("booting");
  const [first = ""] = world.provider.machines.keys();
  world.provider.machines.delete(first);
  for (let minute = 0; minute < 8; minute++) {
    await passing(world, 1);
    await sweepOrphans(world);
  }
  expect([await stateOf(world, id), machinesOf(world), copies.moves()]).toEqual([
    "stopped",
    [],
    ["1 complete", "1 complete"],
  ]);
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  await enrollAll(world);
  await sweepOrphans(world);
  expect([await stateOf(world, id), copies.moves()]).toEqual(["ready", []]);
});

test.each(["copied", "booting"])(
  "who stops a cluster while it is %s has its disks, and nothing starts it by itself",
  async when => {
    const { world, copies, id } = await moving();
    if (when === "booting") {
      copies.end("complete");
      await passing(world, 2);
    }
    await submit(world, ADA, id, jobRequest());
    await Change.stop(world, ADA, "demo");
    await passing(world, 30);
    await sweepOrphans(world);
    const cluster = await Read.get(world, ADA, id);
    expect([cluster.state, cluster.failure]).toEqual(["stopped", undefined]);
    expect([machinesOf(world), copies.moves()]).toEqual(when === "booting" ? [[], ["1 complete"]] : [["1"], []]);
  },
);

test("who starts what somebody has just stopped while it moved lets it go on; jobs do not wait for it unasked", async () => {
  const { world, copies, id } = await moving();
  copies.end("complete");
  await passing(world, 2);
  await Change.stop(world, ADA, "demo");
  expect(await code(submit(world, ADA, id, jobRequest()))).toBe("conflict");
  expect((await Change.start(world, ADA, "demo")).state).toBe("moving");
  await passing(world, 3);
  await enrollAll(world);
  expect(await stateOf(world, id)).toBe("ready");
});

test("a move that is refused for ever ends after a day", async () => {
  const { world, id } = await moving();
  Object.assign(world.provider, {
    snapshot: async () => {
      throw new MusterError("unavailable", "you may not");
    },
  });
  await passing(world, 5);
  expect(await stateOf(world, id)).toBe("moving");
  world.clock.pass(24 * 60 * MINUTE);
  await passing(world, 1);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "move_failed" } });
});

test("a cluster is not called ended while snapshots of it are left", async () => {
  const { world, copies, id } = await moving();
  Object.assign(world.provider, { deleteSnapshots: async () => Promise.reject(new MusterError("busy", "in use")) });
  await Change.remove(world, ADA, "demo");
  await passing(world, 5);
  expect([await stateOf(world, id), copies.moves()]).toEqual(["draining", ["1 pending"]]);
  await passing(world, 40);
  expect(await stateOf(world, id)).toBe("terminated");
});

test("without capacity anywhere the disks wait as snapshots, and every later start is made from them", async () => {
  const { world, copies, id } = await moving();
  copies.end("complete");
  world.provider.full.add("small").add("large");
  await passing(world, 2);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "no_capacity" } });
  await sweepOrphans(world);
  expect([machinesOf(world), copies.moves()]).toEqual([[], ["1 complete"]]);
  world.provider.full.clear();
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect(world.provider.intents.at(-1)).toMatchObject({ generation: 3, move: 1 });
  await enrollAll(world);
  expect(await stateOf(world, id)).toBe("ready");
});

test("jobs that wait for a move are told when it has found no machines three times", async () => {
  const { world, copies, id } = await moving();
  const { id: job } = await submit(world, ADA, id, jobRequest());
  copies.end("complete");
  world.provider.full.add("small").add("large");
  await passing(world, 120);
  expect(await Jobs.get(world, ADA, job)).toMatchObject({ state: "failed", failure: { code: "no_capacity" } });
  const calls = world.provider.intents.length;
  await passing(world, 60);
  expect([await stateOf(world, id), world.provider.intents.length, copies.moves()]).toEqual([
    "stopped",
    calls,
    ["1 complete"],
  ]);
});

test("what is ended while its disks are snapshots leaves none behind", async () => {
  const { world, copies, id } = await moving();
  copies.end("complete");
  world.provider.full.add("small").add("large");
  await passing(world, 2);
  await Change.remove(world, ADA, "demo");
  await passing(world, 2);
  expect([await stateOf(world, id), copies.moves()]).toEqual(["terminated", []]);
});

test("machines that are started from outside meanwhile are stopped before their disks are copied", async () => {
  const world = testWorld();
  movable(world.provider);
  const { id } = await stoppedCluster(world);
  await Change.start(world, ADA, "demo", MOVE);
  await world.provider.start({ clusterId: id });
  await reconcile(world, ref(id));
  expect([...world.provider.machines.values()].map(machine => machine.state)).toEqual(["stopped"]);
});

test("a machine that is gone before its disk was copied cannot be moved, and takes no other disk along", async () => {
  const { world, copies, id } = await moving({ nodes: 2 });
  const [first = ""] = world.provider.machines.keys();
  copies.end("failed");
  await passing(world, 1);
  world.provider.machines.delete(first);
  await Change.start(world, ADA, "demo", MOVE);
  await passing(world, 1);
  expect(await Read.get(world, ADA, id)).toMatchObject({
    state: "stopped",
    failure: { code: "machines_lost", message: "1 of its 2 machines is gone" },
  });
  expect(world.provider.machines.size).toBe(1);
});

test("only who may end its machines moves a cluster, where disks can be moved, and only a stopped one", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: "never", shared: true });
  // It may be said twice.
  expect((await Change.start(world, ADA, "demo", MOVE)).state).toBe("ready");
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect(await code(Change.start(world, ADA, "demo", MOVE))).toBe("unsupported");
  movable(world.provider);
  expect(await code(Change.start(world, BEN, "demo", MOVE))).toBe("forbidden");
  expect((await Change.start(world, ADA, "demo", MOVE)).state).toBe("moving");
});
