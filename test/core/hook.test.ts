/** What is run on hosts before their machines go; through the real verbs and sweeps, on a provider of ours. */
import { poll } from "@muster/core/agent/poll.ts";
import type { Hooked, Orders } from "@muster/core/agent/protocol.ts";
import { freeze } from "@muster/core/budget/freeze.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import type { Idle } from "@muster/core/cluster/idle.ts";
import { events } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Host from "@muster/core/host/host.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { insert, load } from "@muster/core/record.ts";
import { describe, expect, test } from "vitest";
import { enrollAll, FACTS } from "../support/host.ts";
import { clusterRequest, jobRequest, MINUTE, passing, readyCluster, ref, stateOf } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, testWorld } from "../support/world.ts";

const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };
const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;
const HOOK = { run: "sync-home" };

/** A ready cluster of two hosts, whose policy has a hook. */
async function hooked(idle: Partial<Exclude<Idle, "never">> = {}, more = {}) {
  const world = testWorld();
  const policy = { after: 600, action: "stop", hook: HOOK, ...idle };
  const { id, hosts } = await readyCluster(world, { nodes: 2, idle: policy, ...more });
  const call = async (rank: number, said?: Hooked): Promise<Orders> => {
    const host = hosts[rank];
    if (host === undefined) throw new Error(`there is no host ${rank}`);
    return poll(world, await host.actor(), { pulse: PULSE, attempts: [], ...(said && { hooked: said }) });
  };
  return {
    ...{ world, id, hosts, call },
    look: () => reconcile(world, ref(id)),
    state: () => stateOf(world, id),
    /** Says that the hook is over on a host. */
    over: async (rank: number, exitCode?: number) => {
      const { hook } = await call(rank);
      return call(rank, { id: hook?.id ?? "none", ...(exitCode !== undefined && { exitCode }) });
    },
    history: async () => (await events(world, ADA, id, { limit: 100 })).items.filter(one => one.kind.includes("hook")),
  };
}

describe("a stop", () => {
  test("waits until it is over on every host, whatever came of it, and says where it failed, once", async () => {
    const { world, id, call, look, state, over, history } = await hooked();
    expect((await call(0)).hook).toBeUndefined();
    await Change.stop(world, ADA, "demo");
    await look();
    expect(world.provider.kicks.at(-1)?.map(host => host.hostId)).toHaveLength(2);
    const { hook } = await call(0);
    expect(hook).toEqual({
      ...{ id: expect.any(String), run: "sync-home", timeout: 300 },
      env: {
        MUSTER_CLUSTER_INFO: '{"cluster_name":"demo","cloud":"fake","region":null,"zone":null}',
        SKYPILOT_CLUSTER_INFO: '{"cluster_name":"demo","cloud":"fake","region":null,"zone":null}',
        MUSTER_HOST_RANK: "0",
      },
    });
    expect((await call(1)).hook?.id).toBe(hook?.id);
    await over(0, 3);
    await over(0, 3);
    await look();
    expect(await state()).toBe("stopping");
    await over(1, 0);
    await look();
    expect(await state()).toBe("stopped");
    expect(await history()).toMatchObject([
      { kind: "host.hook_failed", message: "its hook exited with 3", details: { exitCode: 3 }, clusterId: id },
    ]);
  });

  test("goes on when the time is over, and says so", async () => {
    const { world, call, look, over, state, history } = await hooked();
    await Change.stop(world, ADA, "demo");
    await look();
    await over(0, 0);
    world.clock.pass(MINUTE);
    expect((await call(1)).hook?.timeout).toBe(285);
    world.clock.pass(5 * MINUTE - 1);
    await look();
    expect(await state()).toBe("stopping");
    expect((await call(1)).hook?.timeout).toBe(1);
    world.clock.pass(1);
    await look();
    expect(await state()).toBe("stopped");
    expect(await history()).toMatchObject([
      {
        kind: "cluster.hook_late",
        message: "the hook was not over in time on 1 of 2 hosts: its machines do not wait any longer",
      },
    ]);
  });

  test.each([
    [0.5, 90_000],
    [60, 61 * MINUTE],
  ])("waits for %s minutes where the policy says so, and for one in which hosts are told", async (timeout, ms) => {
    const { world, look, state } = await hooked({ hook: { ...HOOK, timeout } });
    await Change.stop(world, ADA, "demo");
    await look();
    world.clock.pass(ms - 1);
    await look();
    expect(await state()).toBe("stopping");
    world.clock.pass(1);
    await look();
    expect(await state()).toBe("stopped");
  });

  test("ends its jobs first", async () => {
    const { world, hosts, call, look, over, state } = await hooked();
    await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
    const parts = [];
    for (const host of hosts) parts.push((await host.poll()).assignments[0]);
    expect(parts.every(Boolean)).toBe(true);
    await Change.stop(world, ADA, "demo");
    await look();
    expect((await call(0)).hook).toBeUndefined();
    for (const [rank, part] of parts.entries()) if (part) await hosts[rank]?.run(part, 0);
    await ringAll(world);
    await look();
    expect((await call(0)).hook).toBeDefined();
    for (const rank of [0, 1]) await over(rank, 0);
    await look();
    expect(await state()).toBe("stopped");
  });

  test("does not wait for it when it is to be now, from the beginning or meanwhile", async () => {
    const { world, id, look, state, call } = await hooked();
    await Change.stop(world, ADA, "demo", { now: true });
    await look();
    expect(await state()).toBe("stopped");
    const other = await hooked();
    await Change.stop(other.world, ADA, "demo");
    await other.look();
    await Change.stop(other.world, ADA, "demo");
    await other.look();
    expect(await other.state()).toBe("stopping");
    await Change.stop(other.world, ADA, "demo", { now: true });
    await other.look();
    expect(await other.state()).toBe("stopped");
    await Change.start(world, ADA, id);
    await look();
    expect((await call(0)).hook).toBeUndefined();
  });

  test("waits for hosts that have called, and no longer for one that is silent", async () => {
    const world = testWorld();
    const idle = { after: 600, action: "stop", hook: HOOK };
    const { id } = await Create.create(world, ADA, clusterRequest({ nodes: 2, idle }));
    await reconcile(world, ref(id));
    await enrollAll(world, FACTS, { hosts: world.provider.intents.at(-1)?.hosts.slice(1) ?? [] });
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    expect(world.provider.kicks.at(-1)?.map(host => host.hostId.at(-1))).toEqual(["1"]);
    world.clock.pass(6 * MINUTE - 1);
    await reconcile(world, ref(id));
    expect(await stateOf(world, id)).toBe("stopping");
    world.clock.pass(1);
    await reconcile(world, ref(id));
    expect(await stateOf(world, id)).toBe("stopped");
  });

  test("waits for no host of a growth that came to nothing", async () => {
    const { world, id, look, over, state } = await hooked();
    const host = await load(world.table, Host.noun, Keys.host("acme", id, 1));
    if (host) await world.table.write([insert(Host.noun, { ...host, id: Host.idOf(id, 2), rank: 2 })]);
    await Change.stop(world, ADA, "demo");
    await look();
    for (const rank of [0, 1]) await over(rank, 0);
    await look();
    expect(await state()).toBe("stopped");
  });

  test("waits for nobody where no host has ever called", async () => {
    const world = testWorld();
    const idle = { after: 600, action: "stop", hook: HOOK };
    const { id } = await Create.create(world, ADA, clusterRequest({ nodes: 2, idle }));
    await reconcile(world, ref(id));
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    expect([await stateOf(world, id), world.provider.kicks]).toEqual(["stopped", []]);
  });
});

describe("by its policy", () => {
  test("an idle cluster stops when it is over", async () => {
    const { world, over, state } = await hooked({ after: 10 });
    await passing(world, 11, async () => undefined);
    expect(await state()).toBe("stopping");
    for (const rank of [0, 1]) await over(rank, 0);
    await passing(world, 1);
    expect(await state()).toBe("stopped");
  });

  test("an idle cluster ends when it is over, and its machines stay until then", async () => {
    const { world, over, state, call } = await hooked({ after: 10, action: "terminate" });
    await passing(world, 11);
    expect(await state()).toBe("draining");
    expect((await call(1)).hook?.run).toBe("sync-home");
    await passing(world, 3);
    expect(world.provider.machines.size).toBe(2);
    for (const rank of [0, 1]) await over(rank);
    await passing(world, 1);
    expect(await state()).toBe("terminated");
    expect(world.provider.machines.size).toBe(0);
  });

  test("nobody is told of an end that takes long while it only waits for the hook", async () => {
    const { world, state } = await hooked({ after: 10, action: "terminate", hook: { ...HOOK, timeout: 30 } });
    const counted: string[] = [];
    const told = { ...world, log: { ...world.log, count: (name: string) => void counted.push(name) } } as typeof world;
    world.provider.terminate = async () => {
      throw new MusterError("unavailable", "denied");
    };
    await passing(told, 10 + 30 + 3);
    expect([await state(), counted]).toEqual(["draining", []]);
    await passing(told, 3);
    expect(new Set(counted)).toEqual(new Set(["DrainingTooLong"]));
  });

  test("an end after a stop needs no hook: nothing runs there", async () => {
    const { world, over, state, history } = await hooked({ after: 10, then: { after: 60, action: "terminate" } });
    await passing(world, 11);
    for (const rank of [0, 1]) await over(rank, 0);
    await passing(world, 63);
    expect(await state()).toBe("terminated");
    expect(await history()).toEqual([]);
  });
});

describe("nothing is waited for", () => {
  test("when somebody ends it, also while a stop waits", async () => {
    const { world, look, state } = await hooked();
    await Change.remove(world, ADA, "demo");
    await look();
    expect(await state()).toBe("terminated");
    const other = await hooked();
    await Change.stop(other.world, ADA, "demo");
    await other.look();
    expect(await other.state()).toBe("stopping");
    await Change.remove(other.world, ADA, "demo");
    await other.look();
    expect(await other.state()).toBe("terminated");
  });

  test("at the end of its lifetime", async () => {
    const { world, state } = await hooked({}, { maxLifetime: 30 });
    await passing(world, 31);
    expect(await state()).toBe("terminated");
  });

  test("by a freeze", async () => {
    const { world, state } = await hooked();
    await freeze(world, ADMIN, { stopAll: true, terminate: false });
    await passing(world, 2);
    expect(await state()).toBe("stopped");
  });

  test("where the policy has no hook", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { idle: { after: 600, action: "stop" } });
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    expect(await stateOf(world, id)).toBe("stopped");
  });

  test("where it was taken out of the policy meanwhile", async () => {
    const { world, look, state } = await hooked();
    await Change.stop(world, ADA, "demo");
    await look();
    await Change.autostop(world, ADA, "demo", { after: 600, action: "stop" });
    await passing(world, 1);
    expect(await state()).toBe("stopped");
  });
});

test("a word about another hook is no word about this one", async () => {
  const { world, call, look, state, history } = await hooked();
  await Change.stop(world, ADA, "demo");
  await look();
  for (const rank of [0, 1]) await call(rank, { id: "another", exitCode: 0 });
  await look();
  expect(await state()).toBe("stopping");
  expect(await history()).toEqual([]);
  await expect(Change.start(world, ADA, "demo")).rejects.toMatchObject({
    code: "conflict",
    details: { hint: expect.stringContaining("leaves out: muster stop demo --now") },
  });
});
