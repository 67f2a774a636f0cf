/** New idle policies, boots in vain and launches without a word; through the reconcilers, on a provider of ours. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { moved } from "@muster/core/host/heard.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, code, MINUTE, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const STOP = { after: 30, action: "stop" } as const;
const END = { after: 30, action: "terminate" } as const;

test("machines learn what a new policy means for them before it holds", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: END });
  world.provider.setPowerOff = async () => {
    throw new MusterError("unavailable", "not now");
  };
  expect((await Change.autostop(world, ADA, id, STOP)).idle).toEqual(STOP);
  expect(await code(reconcile(world, ref(id)))).toBe("unavailable");
  const held = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
  expect(held?.data).toMatchObject({ idle: END, nextIdle: STOP });
  const said: unknown[] = [];
  world.provider.setPowerOff = async (_, action) => void said.push(action);
  await reconcile(world, ref(id));
  const now = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
  expect([now?.data.idle, now?.data.nextIdle, said]).toEqual([STOP, undefined, ["stop"]]);
});

test("a policy that was asked for while it booted ends the cluster in time", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, clusterRequest({ idle: "never" }));
  await reconcile(world, ref(id));
  world.provider.setPowerOff = async () => {
    throw new MusterError("unavailable", "not now");
  };
  await Change.autostop(world, ADA, id, END);
  await enrollAll(world);
  world.provider.setPowerOff = async () => undefined;
  await reconcile(world, ref(id));
  await passing(world, 33);
  expect((await get(world, ADA, id)).state).toBe("terminated");
});

test("a policy that means the same for machines holds at once", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: STOP });
  await Change.autostop(world, ADA, id, { after: 5, action: "stop" });
  expect((await get(world, ADA, id)).idle).toEqual({ after: 5, action: "stop" });
  await reconcile(world, ref(id));
  expect(world.provider.powerOffs.size).toBe(0);
});

test("machines that end while they boot are not waited for, and the failure says what is known", async () => {
  const world = testWorld();
  world.provider.capabilities = { ...world.provider.capabilities, settle: MINUTE };
  const { id } = await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await reconcile(world, ref(id));
  const [first] = world.provider.machines.keys();
  world.provider.machines.delete(first ?? "");
  await reconcile(world, ref(id));
  // They may not show yet.
  expect((await get(world, ADA, id)).state).toBe("booting");
  world.clock.pass(2 * MINUTE);
  await reconcile(world, ref(id));
  // One look that misses them proves nothing.
  expect((await get(world, ADA, id)).state).toBe("booting");
  await passing(world, 4);
  expect(await get(world, ADA, id)).toMatchObject({
    state: "failed",
    failure: { code: "machines_lost", message: "1 of its 2 machines ended while they booted: it said nothing" },
  });
  expect(world.provider.machines.size).toBe(0);
});

test("a launch that nobody answers fails after an hour, and its machines are waited for", async () => {
  const world = testWorld();
  world.provider.launch = async () => {
    throw new MusterError("unavailable", "no answer");
  };
  const { id } = await Create.create(world, ADA, clusterRequest());
  await passing(world, 58);
  expect((await get(world, ADA, id)).state).toBe("launching");
  await passing(world, 5);
  expect((await get(world, ADA, id)).state).toBe("draining");
  await passing(world, 15);
  expect(await get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "launch_failed" } });
});

test("a word that a machine has gone makes its cluster look soon, not in an hour", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: "never" });
  const [machineId = ""] = world.provider.machines.keys();
  world.provider.machines.clear();
  expect(await moved(world, machineId)).toBe(true);
  expect(await moved(world, "i-unknown")).toBe(false);
  await passing(world, 12);
  expect((await get(world, ADA, id)).state).toBe("failed");
});
