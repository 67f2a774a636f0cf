/** Several jobs on one host, through the real verbs on SQLite in memory; hosts speak the real agent verbs without a machine. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { hostsOf, register } from "@muster/core/cluster/register.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import * as Host from "@muster/core/host/host.ts";
import * as Read from "@muster/core/job/read.ts";
import { reconcile as look } from "@muster/core/job/reconcile/reconcile.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import type { Offer } from "@muster/core/ports/provider.ts";
import { advance, amend } from "@muster/core/record.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { enrollAll, FACTS } from "../support/host.ts";
import { jobRequest, launchRequest, MINUTE, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

/** A world whose machines have these, and Ada's cluster of them. */
async function gpuCluster(more: Partial<Offer> = { accelerators: { A100: 4 } }, request = {}) {
  const world = testWorld();
  const [offer] = world.provider.offered;
  world.provider.offered.splice(0, 2, { ...(offer as Offer), ...more });
  const { id, hosts } = await readyCluster(world, request);
  const [host] = hosts;
  if (host === undefined) throw new Error("no host");
  const run = async (task: TaskInput, more = {}) => (await submit(world, ADA, id, jobRequest(task, more))).id;
  const state = async (job: string) => (await Read.get(world, ADA, job)).state;
  return { world, id, host, hosts, run, state };
}

const gpus = (count: number, name = "A100") => ({ resources: { accelerators: { [name]: count } } });
const cpus = (count: number) => ({ resources: { cpus: { count, atLeast: true } } });

test("jobs share a host, each with GPUs of its own, and the next waits until there are enough", async () => {
  const { world, host, run, state } = await gpuCluster();
  const [one, two, three] = [await run(gpus(1)), await run(gpus(2)), await run(gpus(2))];
  const { assignments, pollAfter } = await host.poll();
  expect(assignments.map(({ jobId, gpus: given, gpusAsked }) => [jobId, given, gpusAsked])).toEqual([
    [one, [0], 1],
    [two, [1, 2], 2],
  ]);
  expect(assignments.map(({ env }) => [env.CUDA_VISIBLE_DEVICES, env.MUSTER_NUM_GPUS_PER_NODE])).toEqual([
    ["0", "1"],
    ["1,2", "2"],
  ]);
  expect(new Set(assignments.map(({ env }) => env.MASTER_PORT)).size).toBe(2);
  expect(pollAfter).toBe(15_000);
  expect((await why(world, ADA, three)).reasons).toEqual([
    `it wants 2 GPUs (A100) on 1 host; 1 of 4 GPUs is free, the rest is taken by ${one} and ${two}`,
  ]);
  const fences = assignments.map(({ jobId, fence }) => ({ jobId, fence }));
  const held = await host.poll(fences);
  expect([held.assignments, held.held.map(({ jobId }) => jobId), held.revoked]).toEqual([[], [one, two], []]);
  await host.run(fences[0] as { jobId: string; fence: number }, 0);
  const next = await host.poll(fences);
  expect(next.assignments.map(({ jobId, gpus: given }) => [jobId, given])).toEqual([[three, [0, 3]]]);
  // Its end is known, so that it is not this host's any more.
  expect(next.revoked.map(({ jobId }) => jobId)).toEqual([one]);
  expect([await state(one), await state(two), await state(three)]).toEqual(["succeeded", "starting", "starting"]);
});

test("a job that asks for no GPU beside others sees none of theirs; one that asks for nothing has the whole host", async () => {
  const { world, host, run, id } = await gpuCluster();
  const small = await run(cpus(1));
  const whole = await run({});
  const first = await host.poll();
  expect(first.assignments.map(({ jobId, gpus: given, env }) => [jobId, given, env.CUDA_VISIBLE_DEVICES])).toEqual([
    [small, [], ""],
  ]);
  expect((await why(world, ADA, whole)).reasons).toEqual([
    `it wants 1 of 1 hosts, and 0 are free: the rest is taken by ${small}`,
  ]);
  await host.run({ jobId: small, fence: first.assignments[0]?.fence ?? 0 }, 0);
  const [assignment] = (await host.poll()).assignments;
  expect(assignment).toMatchObject({ jobId: whole, env: { CUDA_VISIBLE_DEVICES: "0,1,2,3" } });
  expect(assignment).not.toHaveProperty("gpus");
  await run(cpus(1));
  expect(await schedule(world, ref(id))).toEqual([]);
});

test("memory counts by what the offer says, GPUs by the larger of offer and host", async () => {
  const { world, id } = await gpuCluster({ cpus: 8, memory: 64, accelerators: { "NVIDIA H100 80GB HBM3": 2 } });
  const slots = await Slots.get(world.table, "acme", id);
  expect(slots?.hosts[0]).toMatchObject({ cpus: 8, memory: 64, gpus: 2, gpu: "H100", runs: [] });
  const other = testWorld();
  const { id: shown } = await readyCluster(other);
  expect((await Slots.get(other.table, "acme", shown))?.hosts[0]).toMatchObject({ cpus: 4, memory: 16, gpus: 0 });
  expect((await Slots.get(other.table, "acme", shown))?.hosts[0]).not.toHaveProperty("gpu");
  expect(FACTS.memory).toBeLessThan(16 * 1024 ** 3);
});

test("with maxConcurrentJobs 1 a machine takes one job at a time, whatever it has", async () => {
  const { world, id, host, run } = await gpuCluster(undefined, { maxConcurrentJobs: 1 });
  const [one, two] = [await run(cpus(1)), await run(cpus(1))];
  const { assignments } = await host.poll();
  expect(assignments.map(({ jobId }) => jobId)).toEqual([one]);
  expect((await why(world, ADA, two)).reasons).toEqual([
    `it wants 1 CPU on 1 host; no host has room for that now beside ${one}`,
  ]);
  expect((await Clusters.get(world, ADA, id)).maxConcurrentJobs).toBe(1);
  const again = Create.create(world, ADA, { name: "demo", shared: false, maxConcurrentJobs: 2 });
  await expect(again).rejects.toMatchObject({ code: "conflict", message: /1 at a time; 2 were asked for/ });
});

test("what no host could ever run is refused at once, with what there is", async () => {
  const { run, host } = await gpuCluster();
  await expect(run(gpus(8))).rejects.toMatchObject({
    code: "invalid_request",
    message: "it wants 8 GPUs (A100) on one host; of cluster 'demo' no host has that",
    details: {
      issues: [
        {
          path: "task.resources.accelerators",
          suggestion: "its hosts have 4 GPUs (A100), 4 CPUs and 16 GiB of memory",
        },
      ],
    },
  });
  await expect(run(gpus(1, "H100"))).rejects.toMatchObject({ details: { issues: [{ path: /accelerators$/ }] } });
  await expect(run(cpus(5))).rejects.toMatchObject({ details: { issues: [{ path: "task.resources.cpus" }] } });
  await expect(run({ resources: { memory: { gib: 17, atLeast: true } } })).rejects.toMatchObject({
    details: { issues: [{ path: "task.resources.memory" }] },
  });
  expect((await host.poll()).assignments).toEqual([]);
  // One of two that do is enough.
  const either = await run({ resources: { accelerators: { H100: 1, A100: 1 } } });
  expect((await host.poll()).assignments.map(({ jobId }) => jobId)).toEqual([either]);
});

test("what comes before the machines are known, and is too large for them, ends with the reason and holds up nobody", async () => {
  const world = testWorld();
  const { cluster } = await launch(world, ADA, launchRequest);
  const large = await submit(world, ADA, "demo", jobRequest(gpus(2), { down: true }));
  const wide = await submit(world, ADA, "demo", jobRequest(cpus(64)));
  await reconcile(world, ref(cluster.id));
  const [host] = await enrollAll(world);
  const [first] = (await host?.poll())?.assignments ?? [];
  expect(first?.env.MUSTER_NUM_GPUS_PER_NODE).toBe("0");
  expect(await Read.get(world, ADA, large.id)).toMatchObject({ state: "failed", failure: { code: "no_such_gpu" } });
  expect(await Read.get(world, ADA, wide.id)).toMatchObject({ state: "failed", failure: { code: "too_large" } });
  expect((await Clusters.get(world, ADA, cluster.id)).state).toBe("ready");
});

test("as many jobs start at once as a host may run, in their order, and the others follow when there is room", async () => {
  const { world, id, host, run } = await gpuCluster();
  const jobs: string[] = [];
  for (let count = 0; count < 70; count++) jobs.push(await run(cpus(0.01)));
  expect(await schedule(world, ref(id))).toEqual(jobs.slice(0, Slots.MOST_PER_HOST));
  const { assignments } = await host.poll();
  expect(assignments).toHaveLength(Slots.MOST_PER_HOST);
  expect(new Set(assignments.map(({ env }) => env.MASTER_PORT)).size).toBe(Slots.MOST_PER_HOST);
  for (const { jobId, fence } of assignments.slice(0, 3)) await host.run({ jobId, fence }, 0);
  expect(await schedule(world, ref(id))).toEqual(jobs.slice(64, 67));
});

test("a cluster that becomes ready while it is read does not pass for one without hosts", async () => {
  const { world, id, state } = await gpuCluster(undefined, { idle: "never" });
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(id));
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  const job = (await submit(world, ADA, "demo", jobRequest(gpus(1)))).id;
  const booted = async () => {
    const [host] = await hostsOf(world.table, ref(id));
    if (host) await world.table.write(advance(world, Host.kind, ADA, host, "enroll").writes);
    expect(await register(world, ref(id))).toBe(true);
  };
  const { table } = world;
  let isFirst = true;
  const slow: typeof table.get = async key => {
    const item = await table.get(key);
    if (!isFirst || !["CLUSTER", "SLOTS"].includes(key.sk)) return item;
    isFirst = false;
    await booted();
    return item;
  };
  await schedule({ ...world, table: { ...table, get: slow } }, ref(id));
  expect([isFirst, await state(job)]).toEqual([false, "queued"]);
  await schedule(world, ref(id));
  expect(await state(job)).toBe("starting");
});

test("a job that needs a lost host waits for it", async () => {
  const { world, id, run, state } = await gpuCluster(undefined, { nodes: 2 });
  const slots = await Slots.get(world.table, "acme", id);
  if (slots === undefined) throw new Error("no slots");
  const hosts = slots.hosts.map(slot => ({ ...slot, up: slot.rank === 0 }));
  await world.table.write([amend(Slots.noun, slots, { hosts }).write]);
  const job = await run({ nodes: 2, ...gpus(1) });
  expect(await schedule(world, ref(id))).toEqual([]);
  expect([await state(job), (await why(world, ADA, job)).reasons[1]]).toEqual([
    "queued",
    "1 host of it is lost, and not yet given up",
  ]);
});

test("a job that has not begun in its time ends, and says what it waited for", async () => {
  const { world, run } = await gpuCluster();
  const one = await run(gpus(3));
  const late = await run({ ...gpus(2), queueTimeout: 90 });
  const info = await Read.get(world, ADA, late);
  expect([info.startBy, info.createdAt + 90_000]).toEqual([info.createdAt + 90_000, info.startBy]);
  await schedule(world, ref(info.clusterId));
  await passing(world, 1);
  expect((await Read.get(world, ADA, late)).state).toBe("queued");
  await passing(world, 1);
  expect(await Read.get(world, ADA, late)).toMatchObject({
    state: "timed_out",
    failure: {
      code: "queue_timeout",
      message: expect.stringContaining(`1 of 4 GPUs is free, the rest is taken by ${one}`),
    },
  });
  expect((await world.table.query({ pk: `W#acme#C#${info.clusterId}`, prefix: "Q#" })).items).toEqual([]);
});

test("a job that has begun before is not held to the time for its first try", async () => {
  const { world, id, run, state } = await gpuCluster();
  const job = await run({ ...gpus(1), queueTimeout: 60 });
  await schedule(world, ref(id));
  world.clock.pass(2 * MINUTE);
  await look(world, { workspace: "acme", jobId: job });
  expect(await state(job)).toBe("starting");
});

test("a port is nobody else's on the cluster, however long ago the other job began", () => {
  const host = { rank: 0, address: "", cpus: 1, memory: 1, gpus: 0, up: true };
  const slots = (fence: number, ...running: number[]) => ({
    workspace: "w",
    clusterId: "c",
    fence,
    idleSince: 0,
    hosts: [{ ...host, runs: running.map(one => ({ jobId: `job_${one}`, fence: one })) }],
  });
  expect(Slots.nextFence(slots(6))).toBe(7);
  expect(Slots.nextFence(slots(10_006, 7, 10_008))).toBe(10_009);
});

test("the slots of the largest cluster, with as many jobs as may run there, fit into one item", () => {
  const run = (index: number): Slots.Run => ({
    jobId: `job_01JZZZZZZZZZZZZZZZZZZZZZZZ.${9000 + index}`,
    fence: 1_000_000 + index,
    gpus: [0, 1, 2, 3],
    cpus: 192,
    memory: 2048,
  });
  const hosts = Array.from(
    { length: 1024 },
    (_, rank): Slots.Slot => ({
      rank,
      address: "10.100.100.100",
      cpus: 192,
      memory: 2048,
      gpus: 8,
      gpu: "A100-80GB",
      most: 64,
      machineId: "i-0123456789abcdef0",
      group: "workers",
      up: true,
      runs: [run(2 * rank), run(2 * rank + 1)].slice(0, rank < 976 ? 2 : 1),
    }),
  );
  expect(hosts.flatMap(slot => slot.runs)).toHaveLength(Slots.MOST_RUNS);
  const item = Slots.create({ workspace: "acme", clusterId: "clu", fence: 1, idleSince: 0, hosts });
  expect(JSON.stringify(item).length).toBeLessThan(400_000);
});

test("an idle policy waits for the last of several jobs", async () => {
  const { world, id, host, run } = await gpuCluster(undefined, { idle: { after: 10, action: "terminate" } });
  const [one] = [await run(gpus(1)), await run(gpus(1))];
  const { assignments } = await host.poll();
  for (const { jobId, fence } of assignments) await host.report({ jobId, fence, state: "running" });
  const ends = (index: number) => host.run(assignments[index] as { jobId: string; fence: number }, 0);
  await ends(0);
  const poll = async () => void (await host.poll(assignments.slice(1).map(({ jobId, fence }) => ({ jobId, fence }))));
  await passing(world, 30, poll);
  expect([(await Read.get(world, ADA, one as string)).state, (await Clusters.get(world, ADA, id)).state]).toEqual([
    "succeeded",
    "ready",
  ]);
  await ends(1);
  await passing(world, 12);
  expect((await Clusters.get(world, ADA, id)).state).not.toBe("ready");
});
