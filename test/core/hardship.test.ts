/** What keeps one bad record, one bad provider or one lost answer from holding up everything else. */
import { poll } from "@muster/core/agent/poll.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import type { Run } from "@muster/core/cluster/slots.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import { environment } from "@muster/core/job/environment.ts";
import { list as listJobs } from "@muster/core/job/list.ts";
import * as JobRead from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import {
  clusterRequest,
  jobRequest,
  launchRequest,
  MINUTE,
  passing,
  readyCluster,
  ref,
  stateOf,
  stoppedCluster,
} from "../support/requests.ts";
import { ADA, FakeProvider, type TestWorld, testWorld } from "../support/world.ts";

/** As newer code might have written it. */
async function makeUnreadable(world: TestWorld, key: { pk: string; sk: string }): Promise<void> {
  const { version, ...item } = (await world.table.get(key)) ?? { ...key, version: 0, type: "", data: {} };
  await world.table.write([{ put: { ...item, data: { ...item.data, state: "paused" } }, expect: version }]);
}

describe("one record that cannot be read", () => {
  test("in the queue does not keep the machines of a removed cluster, nor its other jobs", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world);
    await submit(world, ADA, "demo", jobRequest());
    const odd = await submit(world, ADA, "demo", jobRequest());
    const other = await submit(world, ADA, "demo", jobRequest());
    await makeUnreadable(world, Keys.job("acme", odd.id));
    await Change.remove(world, ADA, id);
    await passing(world, 2);
    expect([await stateOf(world, id), world.provider.machines.size]).toEqual(["terminated", 0]);
    expect((await JobRead.get(world, ADA, other.id)).state).toBe("cancelled");
    expect(world.errors).toContain("a job that cannot be read was left alone");
  });

  test("does not hide the others from lists", async () => {
    const world = testWorld();
    await readyCluster(world);
    const [one, odd] = [await submit(world, ADA, "demo", jobRequest()), await submit(world, ADA, "demo", jobRequest())];
    await makeUnreadable(world, Keys.job("acme", odd.id));
    const { items } = await listJobs(world, ADA, { limit: 10, active: false });
    expect(items.map(item => item.id)).toEqual([one.id]);
    const { id } = await Create.create(world, ADA, clusterRequest({ name: "odd" }));
    await makeUnreadable(world, Keys.cluster("acme", id));
    expect((await Read.list(world, ADA, { limit: 10, all: true })).items.map(item => item.name)).toEqual(["demo"]);
  });

  test("of a host does not hide the other hosts", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { nodes: 2 });
    await makeUnreadable(world, Keys.host("acme", id, 0));
    const { items } = await Read.hosts(world, ADA, id, { limit: 10 });
    expect(items.map(host => host.rank)).toEqual([1]);
  });
});

test("machines go when their cluster is removed, though its jobs cannot be ended; the cluster ends after them", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  await submit(world, ADA, "demo", jobRequest());
  await Change.remove(world, ADA, id);
  let isDown = true;
  const query: typeof world.table.query = (range: never) => {
    const { prefix } = range as { prefix?: string };
    if (isDown && prefix === "Q#") throw new MusterError("unavailable", "the queue does not answer");
    return world.table.query(range) as never;
  };
  const broken = { ...world, table: { ...world.table, get: world.table.get, write: world.table.write, query } };
  world.clock.pass(MINUTE);
  await expect(reconcile(broken, ref(id))).rejects.toThrow("the queue does not answer");
  expect([await stateOf(world, id), world.provider.machines.size]).toEqual(["draining", 0]);
  isDown = false;
  await reconcile(broken, ref(id));
  expect(await stateOf(world, id)).toBe("terminated");
});

describe("the sweep of machines", () => {
  const strayOf = (world: TestWorld, machineId: string, clusterId: string) => {
    const [mine] = world.provider.machines.values();
    world.provider.machines.set(machineId, { ...(mine as NonNullable<typeof mine>), machineId, clusterId });
  };
  const NOBODY = "clu_00000000000000000000000000";

  test("goes on with the other providers when one fails, and with other machines when one cannot be ended", async () => {
    const world = testWorld();
    await readyCluster(world);
    const bad = new FakeProvider();
    bad.sweep = async () => {
      throw new Error("no answer");
    };
    const both = {
      ...world,
      providers: new Map([
        ["bad", bad],
        ["fake", world.provider],
      ]),
    };
    for (const name of ["one", "stuck", "two"]) strayOf(world, name, NOBODY);
    const { terminate } = world.provider;
    world.provider.terminate = async ids => {
      if (ids.includes("stuck")) throw new Error("that one is protected");
      return terminate(ids);
    };
    expect(await sweepOrphans(both)).toEqual(["one", "two"]);
    expect(world.provider.machines.has("stuck")).toBe(true);
  });

  test("reads each cluster once, and stops one that should be stopped once", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { nodes: 3, idle: "never" });
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    await world.provider.start({ clusterId: id });
    const counts = { gets: 0, stops: 0 };
    const { stop } = world.provider;
    world.provider.stop = async cluster => {
      counts.stops++;
      return stop(cluster);
    };
    const get: typeof world.table.get = key => {
      if (key.sk === "CLUSTER") counts.gets++;
      return world.table.get(key);
    };
    await sweepOrphans({ ...world, table: { query: world.table.query, write: world.table.write, get } });
    expect(counts).toEqual({ gets: 1, stops: 1 });
  });
});

test("what fails at the front of what is due does not hide what is behind it", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  const shard = Keys.due("", id, 0).pk;
  const cluster = await world.table.get(Keys.cluster("acme", id));
  for (let count = 0; count < 250; count++) {
    const data = { ...cluster?.data, id: `clu_${count}`, state: "paused" };
    const key = { pk: `W#acme#C#clu_${count}`, sk: "CLUSTER" };
    const due = { pk: shard, sk: `${Keys.dueSort(count)}#${key.pk}` };
    await world.table.write([{ put: { ...key, type: "cluster", data, indexes: { due } }, expect: "absent" }]);
  }
  world.clock.pass(31 * MINUTE);
  expect(await sweepDue(world)).toBeGreaterThan(250);
  expect(await stateOf(world, id)).toBe("stopped");
});

describe("a cluster that is there already", () => {
  const GPUS = { ...new FakeProvider().offered[0], instanceType: "gpu", accelerators: { "NVIDIA H100 80GB HBM3": 4 } };
  const fits = (world: TestWorld, resources: Cluster.Create["resources"]) =>
    Create.create(world, ADA, clusterRequest({ resources })).then(
      () => "fits",
      error => (error as MusterError).message,
    );

  test("stands in only for what its machines have", async () => {
    const world = testWorld();
    await readyCluster(world);
    expect(await fits(world, {})).toBe("fits");
    expect(await fits(world, { cpus: { count: 4, atLeast: false }, memory: { gib: 16, atLeast: true } })).toBe("fits");
    expect(await fits(world, { accelerators: { H100: 8 } })).toBe(
      "cluster 'demo' has no accelerator per host; H100:8 was asked for",
    );
    expect(await fits(world, { cpus: { count: 5, atLeast: true } })).toMatch("4 CPUs");
    expect(await fits(world, { memory: { gib: 17, atLeast: true } })).toMatch("16 GiB");
  });

  test("is known by short names of its accelerators", async () => {
    const world = testWorld();
    world.provider.offered.splice(0, 2, GPUS as never);
    await readyCluster(world);
    expect(await fits(world, { accelerators: { H100: 4 } })).toBe("fits");
    expect(await fits(world, { accelerators: { A100: 1, h100: 2 } })).toBe("fits");
    expect(await fits(world, { accelerators: { H100: 5 } })).toMatch("H100");
    expect(await fits(world, { accelerators: { H1: 1 } })).toMatch("was asked for");
  });
});

test("a job is promised no GPU that is not there, and a port that no other cluster's job has", () => {
  const host = { rank: 0, address: "10.0.0.1", cpus: 8, memory: 64, gpus: 2, up: true };
  const of = (clusterId: string, fence: number, run: object = { whole: true }) => {
    const slot = { ...host, runs: [{ jobId: "job_X", fence, ...run } as Run] };
    const job = { id: "job_X", clusterId, clusterName: "demo", fence, createdAt: 0 } as never;
    return environment(job, Task.parse({ run: "true" }), { rank: 0, hosts: [slot], offer: { provider: "fake" } });
  };
  expect(of("clu_A", 1).MUSTER_NUM_GPUS_PER_NODE).toBe("2");
  expect(of("clu_A", 1).CUDA_VISIBLE_DEVICES).toBe("0,1");
  expect(of("clu_A", 1, { gpus: [1] })).toMatchObject({ CUDA_VISIBLE_DEVICES: "1", SKYPILOT_NUM_GPUS_PER_NODE: "1" });
  expect(of("clu_A", 1, { cpus: 2 })).toMatchObject({ CUDA_VISIBLE_DEVICES: "", MUSTER_NUM_GPUS_PER_NODE: "0" });
  const ports = ["clu_A", "clu_B", "clu_C"].flatMap(id => [1, 2].map(fence => Number(of(id, fence).MASTER_PORT)));
  expect(new Set(ports).size).toBe(6);
  expect(ports.every(port => port >= 20_000 && port < 30_000)).toBe(true);
});

test("another offer is tried though a machine of the one before has called already", async () => {
  const world = testWorld();
  world.provider.loseAnswer = new Error("connection reset");
  const { id } = await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await expect(reconcile(world, ref(id))).rejects.toThrow("connection reset");
  world.provider.intents.push({
    ...world.provider.intents[0],
    hosts: world.provider.intents[0]?.hosts.slice(0, 1),
  } as never);
  await enrollAll(world);
  world.provider.full.add("small");
  world.clock.pass(6_000);
  await reconcile(world, ref(id));
  await passing(world, 11);
  expect(world.provider.intents.at(-1)).toMatchObject({ try: 2, offer: { instanceType: "large" } });
  await enrollAll(world);
  expect(await stateOf(world, id)).toBe("ready");
});

test("a cluster is found by a name that looks like an id, and such names are not given any more", async () => {
  const world = testWorld();
  expect(Id.is("cluster", "clu_x")).toBe(false);
  const { id } = await readyCluster(world);
  await world.table.write([
    { put: { ...Keys.clusterName("acme", "clu_x"), type: "name", data: { clusterId: id } }, expect: "absent" },
  ]);
  expect((await Read.get(world, ADA, "clu_x")).id).toBe(id);
  // One that has such a name keeps it.
  for (const name of ["clu_y", "JOB_y", "hst_1"]) {
    expect(Cluster.Create.safeParse({ name }).success).toBe(false);
    await expect(launch(world, ADA, { ...launchRequest, cluster: name })).rejects.toMatchObject({
      code: "invalid_request",
    });
  }
  expect(Cluster.Create.safeParse({ name: "club_x" }).success).toBe(true);
});

test("a host whose registration died is registered by its next poll, when restarted as well", async () => {
  const world = testWorld();
  const { id, hosts } = await stoppedCluster(world);
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  const failing = {
    ...world,
    table: {
      get: world.table.get,
      query: ((range: { prefix?: string }) => {
        if (range.prefix === "HOST#") throw new MusterError("unavailable", "no answer");
        return world.table.query(range as never);
      }) as typeof world.table.query,
      write: world.table.write,
    },
  };
  const host = await world.table.get(Keys.host("acme", id, 0));
  const stored = { ...(host?.data as object), version: host?.version ?? 0, rest: {} };
  const actor = { workspace: "acme", clusterId: id, hostId: String(host?.data.id), rank: 0, host: stored as never };
  const pulse = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };
  await expect(poll(failing, actor, { pulse, attempts: [] })).rejects.toThrow("no answer");
  expect(await stateOf(world, id)).toBe("booting");
  await hosts[0]?.poll();
  expect(await stateOf(world, id)).toBe("ready");
});

test("a task that no record holds is refused, with its largest part named", () => {
  const big = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, "x".repeat(32_000)]));
  const { error } = Task.safeParse({ run: "true", envs: big });
  expect(error?.issues[0]).toMatchObject({
    path: ["envs"],
    message: expect.stringContaining("the task has 321 KB, 300 at most"),
  });
  expect(Task.safeParse({ run: "ü".repeat(160_000) }).success).toBe(false);
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`V${index}`, ""]));
  for (const task of [{ envs: many }, { secrets: many }, { resources: { labels: many } }])
    expect(Task.safeParse(task).error?.issues[0]?.message).toBe("at most 500 entries");
});
