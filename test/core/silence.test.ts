/** Who is given up, and who is only not heard; through the real reconcilers, and the pure decision by itself. */

import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get as getCluster } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { nextLook, silentOf, type Watch } from "@muster/core/host/silence.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code, jobRequest, MINUTE, passing } from "../support/requests.ts";
import { ADA, BEN, type TestWorld, testWorld } from "../support/world.ts";

async function running(world: TestWorld, more: Partial<Parameters<typeof Create.create>[2]> = {}) {
  const cluster = { name: "demo", nodes: 1, resources: {}, shared: false, ...more };
  const { id: clusterId } = await Create.create(world, ADA, cluster);
  await reconcile(world, { workspace: "acme", clusterId });
  const hosts = await enrollAll(world);
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes: cluster.nodes }));
  for (const host of hosts) await host.poll();
  const fence = (await Read.get(world, ADA, id)).fence ?? 0;
  for (const host of hosts) await host.report({ jobId: id, fence, state: "running" });
  return { clusterId, hosts, id, fence };
}

test("a control plane that was away for long gives nobody up: whoever calls again goes on", async () => {
  const world = testWorld();
  const { hosts, id, fence } = await running(world);
  world.clock.pass(20 * 60 * MINUTE);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("running");
  expect(await hosts[0]?.poll([{ jobId: id, fence }])).toMatchObject({ revoked: [] });
  await passing(world, 30, async () => hosts[0]?.poll([{ jobId: id, fence }]));
  expect((await Read.get(world, ADA, id)).state).toBe("running");
});

test("one empty answer of the provider ends nothing while the hosts call", async () => {
  const world = testWorld();
  const { clusterId, hosts, id, fence } = await running(world);
  world.provider.machines.clear();
  await passing(world, 90, async () => hosts[0]?.poll([{ jobId: id, fence }]));
  expect((await Read.get(world, ADA, id)).state).toBe("running");
  expect((await getCluster(world, ADA, clusterId)).state).toBe("ready");
});

test("a host that is gone with its machine is given up within twelve minutes", async () => {
  const world = testWorld();
  const { id } = await running(world);
  world.provider.machines.clear();
  await passing(world, 12);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "host_lost" } });
});

test("a suspicion of one host, or of before, does not keep another from being given up", () => {
  const at = (minute: number) => minute * MINUTE;
  const look = (watch: Watch, now: number, calls: readonly (readonly [number, number])[]) => {
    const silent = silentOf([0, 1], watch, { now, calls: new Map(calls), running: new Set() }, "clu_x");
    return { gone: silent.filter(host => host.gone).map(host => host.rank), next: nextLook(silent, watch, now) };
  };
  // Rank 0 was suspect from minute 10 on. It has called since, but rank 1 has not after minute 12.
  let watch: Watch = { suspectedAt: at(10), dueAt: at(18), from: at(1) };
  const given: number[] = [];
  for (let minute = 18; minute < 30 && given.length === 0; minute++) {
    const { gone, next } = look(watch, at(minute), [
      [0, at(minute)],
      [1, at(12)],
    ]);
    given.push(...gone);
    watch = { dueAt: at(minute + 1), from: at(1), ...next };
  }
  expect(given).toEqual([1]);
});

test("a host that calls but never begins does not keep its job for ever", async () => {
  const world = testWorld();
  const { id: clusterId } = await Create.create(world, ADA, { name: "demo", nodes: 1, resources: {}, shared: false });
  await reconcile(world, { workspace: "acme", clusterId });
  const hosts = await enrollAll(world);
  const { id } = await submit(world, ADA, "demo", jobRequest());
  await passing(world, 25, async () => hosts[0]?.poll());
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "start_failed" } });
});

test("a host that does not call gets one job, and not the next as well", async () => {
  const world = testWorld();
  const { id: clusterId } = await Create.create(world, ADA, { name: "demo", nodes: 2, resources: {}, shared: false });
  await reconcile(world, { workspace: "acme", clusterId });
  const [calls] = await enrollAll(world);
  const first = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  const second = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  await calls?.poll();
  const fence = (await Read.get(world, ADA, first.id)).fence ?? 0;
  const done = { cause: "exited", exitCode: 0, chunks: 0, logsComplete: true } as const;
  await calls?.report({ jobId: first.id, fence, state: "exited", ...done });
  await passing(world, 25, async () => calls?.poll());
  expect(await Read.get(world, ADA, first.id)).toMatchObject({ state: "failed", failure: { code: "host_lost" } });
  expect((await Read.get(world, ADA, second.id)).state).toBe("queued");
});

test("a wide job behind a silent host with a live machine does not wait, and bill, for ever", async () => {
  const world = testWorld();
  const { clusterId, hosts, id, fence } = await running(world, { nodes: 2, idle: { after: 30, action: "terminate" } });
  await hosts[0]?.run({ jobId: id, fence }, 0);
  await hosts[1]?.run({ jobId: id, fence }, 0);
  const wide = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  await passing(world, 300, async () => hosts[0]?.poll().catch(() => undefined));
  expect(["failed", "cancelled"]).toContain((await Read.get(world, ADA, wide.id)).state);
  expect(["terminated", "failed"]).toContain((await getCluster(world, ADA, clusterId)).state);
});

test("the idle policy does not stop a job that was placed while it made up its mind", async () => {
  const world = testWorld();
  const { clusterId, hosts, id, fence } = await running(world, { idle: { after: 30, action: "terminate" } });
  await hosts[0]?.run({ jobId: id, fence }, 0);
  world.clock.pass(31 * MINUTE);
  await hosts[0]?.poll();
  const late = await submit(world, ADA, "demo", jobRequest());
  await Promise.all([reconcile(world, { workspace: "acme", clusterId }), hosts[0]?.poll()]);
  expect(["starting", "running"]).toContain((await Read.get(world, ADA, late.id)).state);
});

test("only those who may remove a cluster may have a job take it along, and it waits for the other jobs", async () => {
  const world = testWorld();
  const { clusterId, hosts, id, fence } = await running(world, { shared: true });
  expect(await code(submit(world, BEN, "demo", jobRequest({}, { down: true })))).toBe("forbidden");
  expect(await code(cancel(world, BEN, id))).toBe("forbidden");
  const taking = await submit(world, ADA, "demo", jobRequest({}, { down: true, priority: 900 }));
  const other = await submit(world, BEN, "demo", jobRequest());
  expect(await code(cancel(world, ADA, other.id))).toBe("nothing");
  const last = await submit(world, BEN, "demo", jobRequest());
  await hosts[0]?.run({ jobId: id, fence }, 0);
  const [first] = (await hosts[0]?.poll())?.assignments ?? [];
  expect(first?.jobId).toBe(taking.id);
  await hosts[0]?.run({ jobId: taking.id, fence: first?.fence ?? 0 }, 0);
  expect(await getCluster(world, ADA, clusterId)).toMatchObject({ state: "ready", idle: { action: "terminate" } });
  const [second] = (await hosts[0]?.poll())?.assignments ?? [];
  await hosts[0]?.run({ jobId: last.id, fence: second?.fence ?? 0 }, 0);
  await passing(world, 8, async () => hosts[0]?.poll().catch(() => undefined));
  expect((await getCluster(world, ADA, clusterId)).state).toBe("terminated");
});

test("a cluster that is still stopping says when it can be started", async () => {
  const world = testWorld();
  await running(world);
  await Change.stop(world, ADA, "demo");
  await expect(Change.start(world, ADA, "demo")).rejects.toMatchObject({
    code: "conflict",
    message: "cluster 'demo' is still stopping",
  });
});
