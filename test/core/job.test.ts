/** Jobs through the real verbs, on SQLite in memory; hosts speak the real agent verbs without a machine. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get as getCluster } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { commit, findClaim, Replay } from "@muster/core/commit.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { list as listJobs } from "@muster/core/job/list.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { enrollAll, type TestHost } from "../support/host.ts";
import { code, jobRequest } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

async function readyCluster(world: TestWorld, nodes = 1): Promise<{ id: string; hosts: TestHost[] }> {
  const { id } = await Create.create(world, ADA, { name: "demo", nodes, resources: {}, shared: false });
  await reconcile(world, { workspace: "acme", clusterId: id });
  return { id, hosts: await enrollAll(world) };
}

/** The assignment that a host gets when it asks. */
async function assigned(host: TestHost | undefined) {
  const [assignment] = (await host?.poll())?.assignments ?? [];
  if (assignment === undefined) throw new Error("the host got nothing to do");
  return assignment;
}

test("a job runs where it was placed and ends with its script's exit code", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest({ run: "exit 3" }));
  await hosts[0]?.run(await assigned(hosts[0]), 3);
  expect(await Read.get(world, ADA, id)).toMatchObject({
    state: "failed",
    exitCode: 3,
    failure: { code: "exit_code" },
  });
  const { items } = await Read.events(world, ADA, id, { limit: 100 });
  expect(items.map(event => event.kind)).toEqual(["job.queued", "job.starting", "job.running", "job.failed"]);
});

test("jobs run by priority, then by age", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const first = await submit(world, ADA, "demo", jobRequest());
  const second = await submit(world, ADA, "demo", jobRequest());
  const urgent = await submit(world, ADA, "demo", jobRequest({}, { priority: 900 }));
  const order: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const assignment = await assigned(hosts[0]);
    order.push(assignment.jobId);
    await hosts[0]?.run(assignment, 0);
  }
  expect(order).toEqual([urgent.id, first.id, second.id]);
});

test("a wide job starts on all its hosts at once or on none, and narrow ones do not overtake it", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, 2);
  const running = await submit(world, ADA, "demo", jobRequest());
  const busy = await assigned(hosts[0]);
  const wide = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  const narrow = await submit(world, ADA, "demo", jobRequest());
  expect((await hosts[1]?.poll())?.assignments).toEqual([]);
  expect((await why(world, ADA, narrow.id)).reasons[0]).toBe("1 job is ahead of it in the queue of 'demo'");
  await hosts[0]?.run(busy, 0);
  const [zero, one] = [await assigned(hosts[0]), await assigned(hosts[1])];
  expect([busy.jobId, zero.jobId, one.jobId]).toEqual([running.id, wide.id, wide.id]);
  expect([zero.rank, one.rank]).toEqual([0, 1]);
  expect(zero.env.MUSTER_NODE_IPS).toBe("10.0.0.1\n10.0.0.2");
  expect(one.env.SKYPILOT_NODE_IPS).toBe(zero.env.MUSTER_NODE_IPS);
  expect(one.env.MASTER_ADDR).toBe("10.0.0.1");
});

test("when one node of a job fails the others are ended, and the first cause is kept", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, 2);
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  const [zero, one] = [await assigned(hosts[0]), await assigned(hosts[1])];
  await hosts[0]?.report({ jobId: id, fence: zero.fence, state: "running" });
  await hosts[1]?.run(one, 7);
  expect((await Read.get(world, ADA, id)).state).toBe("running");
  const orders = await hosts[0]?.poll([{ jobId: id, fence: zero.fence }]);
  expect(orders?.held[0]?.cancel).toBe("peer_failed");
  await hosts[0]?.report({
    jobId: id,
    fence: zero.fence,
    state: "exited",
    cause: "cancelled",
    exitCode: 143,
    chunks: 0,
    logsComplete: true,
  });
  expect(await Read.get(world, ADA, id)).toMatchObject({
    state: "failed",
    exitCode: 7,
    failure: { message: "the script exited with 7 on rank 1" },
  });
});

test("a node that has ended is given nothing to do while the others of its job run", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, 2);
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  const zero = await assigned(hosts[0]);
  await assigned(hosts[1]);
  await hosts[0]?.run(zero, 0);
  expect(await hosts[0]?.poll()).toMatchObject({ assignments: [], held: [] });
  expect((await Read.get(world, ADA, id)).state).toBe("running");
});

test("a repeated request makes one job, and the same key for another request is refused", async () => {
  const world = testWorld();
  await readyCluster(world);
  const actor = { ...ADA, claim: { key: "k", request: "r" } };
  const first = await submit(world, actor, "demo", jobRequest());
  expect((await findClaim(world, actor))?.answer).toEqual(first);
  await expect(submit(world, actor, "demo", jobRequest())).rejects.toBeInstanceOf(Replay);
  await expect(commit(world, { ...actor, claim: { key: "k", request: "other" } }, [], undefined)).rejects.toMatchObject(
    { code: "idempotency_mismatch" },
  );
  expect((await listJobs(world, ADA, { limit: 10, active: false })).items).toHaveLength(1);
});

test("a report that comes twice, late or from another try changes nothing", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest());
  const { fence } = await assigned(hosts[0]);
  const exit = { jobId: id, state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true } as const;
  expect(await hosts[0]?.report({ ...exit, fence: fence - 1 })).toEqual({ accepted: false });
  expect(await hosts[0]?.report({ ...exit, fence })).toEqual({ accepted: true });
  expect(await hosts[0]?.report({ ...exit, fence, exitCode: 1 })).toEqual({ accepted: false });
  expect((await Read.get(world, ADA, id)).state).toBe("succeeded");
});

test("an exit is not taken before the log's last chunk is there", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest());
  const { fence, logs } = await assigned(hosts[0]);
  const exit = {
    jobId: id,
    fence,
    state: "exited",
    cause: "exited",
    exitCode: 0,
    chunks: 2,
    logsComplete: true,
  } as const;
  await world.blobs.put(`${logs.prefix}000000000.run`, new Uint8Array(1));
  expect(await code(hosts[0]?.report(exit) ?? Promise.resolve())).toBe("logs_incomplete");
  await world.blobs.put(`${logs.prefix}000000001.run`, new Uint8Array(1));
  expect(await hosts[0]?.report(exit)).toEqual({ accepted: true });
});

test("a queued job is cancelled at once, a running one when its host has ended it, and twice is like once", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const running = await submit(world, ADA, "demo", jobRequest());
  const waiting = await submit(world, ADA, "demo", jobRequest());
  const { fence } = await assigned(hosts[0]);
  expect((await cancel(world, ADA, waiting.id)).state).toBe("cancelled");
  expect((await cancel(world, ADA, running.id)).state).toBe("cancelling");
  expect((await cancel(world, ADA, running.id)).state).toBe("cancelling");
  expect((await hosts[0]?.poll([{ jobId: running.id, fence }]))?.held[0]?.cancel).toBe("cancelled");
  await hosts[0]?.report({
    jobId: running.id,
    fence,
    state: "exited",
    cause: "cancelled",
    exitCode: 143,
    chunks: 0,
    logsComplete: true,
  });
  expect(await Read.get(world, ADA, running.id)).toMatchObject({ state: "cancelled" });
  expect((await hosts[0]?.poll())?.assignments).toEqual([]);
});

test("a host that went silent with its machine loses the job, and gets nothing new until it calls again", async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest());
  const { fence } = await assigned(hosts[0]);
  await hosts[0]?.report({ jobId: id, fence, state: "running" });
  await world.provider.stop({ clusterId });
  for (let minute = 0; minute < 12; minute++) {
    world.clock.pass(60_000);
    await sweepDue(world);
  }
  expect(await Read.get(world, ADA, id)).toMatchObject({
    state: "failed",
    failure: { code: "host_lost" },
    logsComplete: false,
  });
  await submit(world, ADA, "demo", jobRequest());
  const orders = await hosts[0]?.poll([{ jobId: id, fence }]);
  expect(orders?.revoked).toEqual([{ jobId: id, fence }]);
  expect(orders?.assignments).toHaveLength(1);
});

test("a silent host whose machine still runs is not given up for a quarter of an hour", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest());
  const { fence } = await assigned(hosts[0]);
  await hosts[0]?.report({ jobId: id, fence, state: "running" });
  const states: string[] = [];
  for (let minute = 0; minute < 30; minute++) {
    world.clock.pass(60_000);
    await sweepDue(world);
    states.push((await Read.get(world, ADA, id)).state);
  }
  expect(states.indexOf("failed")).toBeGreaterThanOrEqual(14);
});

test("removing a cluster cancels what runs and what waits", async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world);
  const running = await submit(world, ADA, "demo", jobRequest());
  const waiting = await submit(world, ADA, "demo", jobRequest());
  await assigned(hosts[0]);
  await Change.remove(world, ADA, "demo");
  for (let look = 0; look < 10; look++) {
    await reconcile(world, { workspace: "acme", clusterId });
    world.clock.pass(10_000);
  }
  expect((await getCluster(world, ADA, clusterId)).state).toBe("terminated");
  const states = await Promise.all([running, waiting].map(async job => (await Read.get(world, ADA, job.id)).state));
  expect(states).toEqual(["cancelled", "cancelled"]);
});

test("a job that takes its cluster along does so in the transaction that ends it", async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world);
  await submit(world, ADA, "demo", jobRequest({}, { down: true }));
  await hosts[0]?.run(await assigned(hosts[0]), 0);
  expect((await getCluster(world, ADA, clusterId)).state).toBe("draining");
});

test("a launch makes cluster and job in one transaction, and two at once make one cluster", async () => {
  const world = testWorld();
  const wanted = { task: Task.parse({ run: "true" }), cluster: "demo", shared: false, priority: 500, down: false };
  const [one, two] = await Promise.all([launch(world, ADA, wanted), launch(world, ADA, wanted)]);
  expect(one.cluster.id).toBe(two.cluster.id);
  expect([one.reused, two.reused].toSorted()).toEqual([false, true]);
  expect(one.job?.id).not.toBe(two.job?.id);
});

test("a job is refused by a cluster that takes none, with what to do, and nothing is written", async () => {
  const world = testWorld();
  const { id: clusterId } = await readyCluster(world);
  expect(await code(submit(world, ADA, "demo", jobRequest({ nodes: 5 })))).toBe("invalid_request");
  expect(await code(submit(world, EVE, "demo", jobRequest()))).toBe("not_found");
  await Change.stop(world, ADA, "demo");
  await reconcile(world, { workspace: "acme", clusterId });
  await expect(submit(world, ADA, "demo", jobRequest())).rejects.toMatchObject({
    code: "conflict",
    details: { hint: "start it first: muster start demo" },
  });
  await Change.remove(world, ADA, "demo");
  expect(await code(submit(world, ADA, "demo", jobRequest()))).toBe("conflict");
  expect((await listJobs(world, ADA, { limit: 10, active: false })).items).toEqual([]);
});
