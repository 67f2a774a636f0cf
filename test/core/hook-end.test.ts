/** What is run before machines end with their job, and what does not wait for it; real verbs and sweeps, a provider of ours. */
import { poll } from "@muster/core/agent/poll.ts";
import type { Hooked } from "@muster/core/agent/protocol.ts";
import { freeze } from "@muster/core/budget/freeze.ts";
import * as Change from "@muster/core/cluster/change.ts";
import { hold } from "@muster/core/cluster/hold.ts";
import { describe as sentence } from "@muster/core/cluster/idle.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { hold as holdJob } from "@muster/core/job/hold.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { create } from "@muster/core/launch/create.ts";
import { describe, expect, test } from "vitest";
import { enrollAll, type TestHost } from "../support/host.ts";
import { jobRequest, MINUTE, passing, readyCluster, ref, stateOf } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { assigned, jobOf, request } from "./managed-support.ts";

const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };
const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;
const hook = { run: "sync-home", timeout: 30 };

const call = async (world: TestWorld, host: TestHost | undefined, hooked?: Hooked) => {
  if (host === undefined) throw new Error("there is no such host");
  return poll(world, await host.actor(), { pulse: PULSE, attempts: [], ...(hooked && { hooked }) });
};

async function over(world: TestWorld, host: TestHost | undefined): Promise<void> {
  const { hook: told } = await call(world, host);
  await call(world, host, { id: told?.id ?? "none", exitCode: 0 });
}

/** A ready cluster of one host with a hook, and a job on it that takes it along. */
async function leaving(idle = {}, more = {}) {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: { after: 600, action: "stop", hook, ...idle }, ...more });
  const job = await submit(world, ADA, "demo", jobRequest({}, { down: true }));
  const part = await assigned(hosts[0]);
  const end = async () => {
    await hosts[0]?.run(part, 0);
    await ringAll(world);
  };
  return { world, id, host: hosts[0], job, end, state: () => stateOf(world, id) };
}

describe("a job that takes its cluster along", () => {
  test("has the hook run before its machines go", async () => {
    const { world, host, end, state } = await leaving();
    await end();
    await passing(world, 1);
    expect(await state()).toBe("draining");
    expect((await call(world, host)).hook?.run).toBe("sync-home");
    await passing(world, 3);
    expect(world.provider.machines.size).toBe(1);
    await over(world, host);
    await passing(world, 1);
    expect(await state()).toBe("terminated");
  });

  test("has it run when it is cancelled", async () => {
    const { world, host, job, end, state } = await leaving();
    await cancel(world, ADA, job.id);
    await end();
    await passing(world, 2);
    expect(await state()).toBe("draining");
    expect((await call(world, host)).hook?.run).toBe("sync-home");
  });

  test("leaves the hook in the policy where others keep the cluster", async () => {
    const { world, id, host, end, state } = await leaving({ then: { after: 60, action: "terminate" } });
    await hold(world, ADA, "demo", { seconds: 3600 });
    await end();
    expect((await get(world, ADA, id)).idle).toEqual({
      ...{ after: 0, action: "terminate", then: { after: 60, action: "terminate" } },
      hook,
    });
    await passing(world, 62);
    expect(await state()).toBe("draining");
    await over(world, host);
    await passing(world, 1);
    expect(await state()).toBe("terminated");
  });

  test("has machines that stop by themselves learn that they are to end before the record says so", async () => {
    const { world, end, id } = await leaving();
    await hold(world, ADA, "demo", { seconds: 3600 });
    const told: string[] = [];
    world.provider.setPowerOff = async (_ref, action) => void told.push(action);
    await end();
    await reconcile(world, ref(id));
    expect(told).toEqual(["terminate"]);
  });

  test("comes to nothing where somebody stops it meanwhile, and brings back no hook that was left out", async () => {
    const { world, id, end, state } = await leaving();
    await Change.stop(world, ADA, "demo", { now: true });
    await reconcile(world, ref(id));
    await end();
    await passing(world, 2);
    expect(await state()).toBe("stopped");
  });

  test("goes when the hold is over, also where it has stopped meanwhile", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { idle: { after: 10, action: "stop" } });
    const { id: first } = await submit(world, ADA, "demo", jobRequest({}, { hold: true, down: true }));
    await passing(world, 12);
    expect(await stateOf(world, id)).toBe("stopped");
    await hold(world, ADA, "demo", { seconds: 1800 });
    await cancel(world, ADA, first);
    await passing(world, 20);
    expect(await stateOf(world, id)).toBe("stopped");
    await passing(world, 12);
    expect(await stateOf(world, id)).toBe("terminated");
  });
});

test("the sentence of what ends when idle says what follows a stop by hand", () => {
  expect(sentence({ after: 30, action: "terminate", then: { after: 60, action: "terminate" } })).toBe(
    "terminates after 30 minutes without a job, terminates 1 hour after a stop",
  );
});

describe("a managed job's cluster", () => {
  const keep = { zone: "Europe/Berlin", hours: [{ days: ["mon" as const], from: "08:00", to: "20:00" }] };

  test("has all of the policy that it was launched with, but that it ends", async () => {
    const world = testWorld();
    const idle = { after: 10, action: "stop", then: { after: 60, action: "terminate" }, cpuBelow: 0.1, keep, hook };
    const { cluster } = await create(world, ADA, request({}, { idle }));
    expect((await get(world, ADA, cluster.id)).idle).toEqual({
      ...{ after: 10, action: "terminate", cpuBelow: 0.1, keep, hook },
    });
  });

  test("ends with its job when the hook is over", async () => {
    const world = testWorld();
    const { cluster, job } = await create(world, ADA, request({}, { idle: { after: 10, action: "stop", hook } }));
    await reconcile(world, ref(cluster.id));
    const [host] = await enrollAll(world);
    const part = await assigned(host);
    await host?.run(part, 0);
    await ringAll(world);
    await passing(world, 1);
    expect([(await jobOf(world, job?.id ?? "")).state, await stateOf(world, cluster.id)]).toEqual([
      "succeeded",
      "draining",
    ]);
    await over(world, host);
    await passing(world, 1);
    expect(await stateOf(world, cluster.id)).toBe("terminated");
  });
});

test("a managed job that is cancelled while its policy's hook runs does not cut that off", async () => {
  const world = testWorld();
  const { cluster, job } = await create(world, ADA, request({}, { idle: { after: 10, action: "stop", hook } }));
  await reconcile(world, ref(cluster.id));
  await holdJob(world, ADA, job?.id ?? "");
  const [host] = await enrollAll(world);
  await passing(world, 12);
  expect(await get(world, ADA, cluster.id)).toMatchObject({ state: "draining", renew: true });
  const { hook: told } = await call(world, host);
  await cancel(world, ADA, job?.id ?? "");
  await passing(world, 2);
  expect(await stateOf(world, cluster.id)).toBe("draining");
  expect((await call(world, host)).hook?.id).toBe(told?.id);
  await over(world, host);
  await passing(world, 1);
  expect(await stateOf(world, cluster.id)).toBe("terminated");
});

describe("an end by policy that waits for the hook goes on at once", () => {
  /** Its policy has begun to end it, and its hook runs. */
  async function ending(more = {}) {
    const world = testWorld();
    const { id } = await readyCluster(world, { idle: { after: 10, action: "terminate", hook }, ...more });
    await passing(world, 12);
    expect(await stateOf(world, id)).toBe("draining");
    return { world, id, state: () => stateOf(world, id) };
  }

  test("when somebody ends it, and its machines have as long as without it", async () => {
    const { world, id, state } = await ending();
    await Change.remove(world, ADA, "demo");
    const { data } = (await world.table.get(Keys.cluster("acme", id))) ?? {};
    expect(data).toMatchObject({ drainingSince: world.clock.now() });
    await passing(world, 1);
    expect(await state()).toBe("terminated");
  });

  test("by a freeze that ends what it can", async () => {
    const { world, state } = await ending();
    await freeze(world, ADMIN, { stopAll: true, terminate: true });
    await passing(world, 2);
    expect(await state()).toBe("terminated");
  });

  test("at the end of its lifetime", async () => {
    const { world, state } = await ending({ maxLifetime: 15 });
    world.clock.pass(2 * MINUTE);
    await passing(world, 2);
    expect(await state()).toBe("terminated");
  });

  test("and for nobody else", async () => {
    const { world, state } = await ending();
    await passing(world, 20);
    expect(await state()).toBe("draining");
  });
});
