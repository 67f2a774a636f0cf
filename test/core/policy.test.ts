/** New idle policies, boots in vain and launches without a word; through the reconcilers, on a provider of ours. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { moved } from "@muster/core/host/heard.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, code, jobRequest, MINUTE, passing, readyCluster, ref } from "../support/requests.ts";
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
  await reconcile(world, ref(id));
  const held = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
  expect(held?.data).toMatchObject({ idle: END, nextIdle: STOP });
  const said: unknown[] = [];
  world.provider.setPowerOff = async (_, action) => void said.push(action);
  await reconcile(world, ref(id));
  const now = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
  expect([now?.data.idle, now?.data.nextIdle, said]).toEqual([STOP, undefined, ["stop"]]);
});

test("a policy that machines cannot be told of is kept by the control plane all the same", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: { after: 600, action: "stop" } });
  world.provider.setPowerOff = async () => {
    throw new MusterError("unavailable", "denied");
  };
  await Change.autostop(world, ADA, id, END);
  await passing(world, 33);
  expect((await get(world, ADA, id)).state).toBe("terminated");
  expect(world.provider.machines.size).toBe(0);
});

test("spot machines end when they are idle, and nobody stops them", async () => {
  const world = testWorld();
  const spot = { name: "demo", nodes: 1, resources: { spot: true }, shared: false };
  expect(await code(Create.create(world, ADA, { ...spot, idle: STOP }))).toBe("unsupported");
  const { id, idle } = await Create.create(world, ADA, spot);
  expect(idle).toMatchObject({ action: "terminate" });
  await reconcile(world, ref(id));
  await enrollAll(world);
  expect(await code(Change.stop(world, ADA, id))).toBe("unsupported");
  expect(await code(Change.autostop(world, ADA, id, STOP))).toBe("unsupported");
  await passing(world, 33);
  expect([(await get(world, ADA, id)).state, world.provider.machines.size]).toEqual(["terminated", 0]);
});

test("machines that turn out to be such as cannot be stopped are ended, not paid for", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: STOP });
  world.provider.stop = async () => {
    throw new MusterError("unsupported", "spot capacity cannot be stopped");
  };
  await passing(world, 40);
  expect(await get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "unsupported" } });
  expect(world.provider.machines.size).toBe(0);
});

test("a launch that was throttled leaves no doubt: the next offer is tried at once", async () => {
  const world = testWorld();
  world.provider.full.add("small");
  const { launch } = world.provider;
  let throttled = false;
  world.provider.launch = async intent => {
    if (throttled) return launch.call(world.provider, intent);
    throttled = true;
    throw new MusterError("busy", "slow down");
  };
  const { id } = await Create.create(world, ADA, clusterRequest());
  await passing(world, 2);
  expect(await get(world, ADA, id)).toMatchObject({ state: "booting", instanceType: "large" });
});

test("a machine that has gone takes its part in a job along, in minutes", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const job = await submit(world, ADA, id, jobRequest());
  await hosts[0]?.poll();
  const [machineId = ""] = world.provider.machines.keys();
  expect(await moved(world, machineId)).toBe(true);
  expect((await Read.get(world, ADA, job.id)).state).toBe("starting");
  world.provider.machines.clear();
  await moved(world, machineId);
  expect(await Read.get(world, ADA, job.id)).toMatchObject({ state: "failed", failure: { code: "host_lost" } });
});

test("a drain that cannot end its machines is told of, whatever stands in its way", async () => {
  const world = testWorld();
  const counted: string[] = [];
  const log = { ...world.log, count: (name: string) => void counted.push(name) };
  const { id } = await readyCluster(world);
  world.provider.terminate = async () => {
    throw new MusterError("unavailable", "denied");
  };
  await Change.remove(world, ADA, id);
  // Machines that refuse to be ended are told of after the jobs' moment and three sweeps.
  await passing({ ...world, log } as typeof world, 3);
  expect(counted).toEqual([]);
  await passing({ ...world, log } as typeof world, 3);
  expect(new Set(counted)).toEqual(new Set(["DrainingTooLong"]));
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

test("machines that may have been told of a policy that was taken back are told again", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: STOP });
  const said: unknown[] = [];
  world.provider.setPowerOff = async (_, action) => {
    said.push(action);
    // Told, and then nobody heard that they were.
    if (said.length === 1) throw new MusterError("unavailable", "no answer");
  };
  await Change.autostop(world, ADA, id, END);
  await reconcile(world, ref(id));
  await Change.autostop(world, ADA, id, STOP);
  await reconcile(world, ref(id));
  expect(said).toEqual(["terminate", "stop"]);
  expect((await get(world, ADA, id)).idle).toEqual(STOP);
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
