/** What follows at once when the cloud announces that it takes a machine back. Core on SQLite in memory; hosts are agents without machines. */
import { get } from "@muster/core/cluster/read.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import { moved, warned } from "@muster/core/host/heard.ts";
import * as Host from "@muster/core/host/host.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import * as Keys from "@muster/core/keys.ts";
import { amend, load } from "@muster/core/record.ts";
import { expect, test } from "vitest";
import { jobRequest, MINUTE, readyCluster } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { assigned, jobOf, launched, machineOf, runs } from "./managed-support.ts";

const retry = { max: 3, on: ["interruption" as const], backoff: 0 };

/** A job on so many hosts of `demo`, begun. */
async function begun(task = {}, nodes = 1) {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world, { nodes: 2, idle: "never" });
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes, ...task }));
  const refs: { jobId: string; fence: number }[] = [];
  for (const host of hosts.slice(0, nodes)) {
    const { fence } = await assigned(host);
    refs.push({ jobId: id, fence });
    await host.report({ jobId: id, fence, state: "running" });
  }
  return { world, clusterId, hosts, id, refs };
}

type Begun = Awaited<ReturnType<typeof begun>>;

/** What this host is told to do about its part. */
const toldTo = async ({ hosts, refs }: Begun, rank = 0) =>
  (await hosts[rank]?.poll(refs.slice(rank, rank + 1)))?.held[0]?.cancel;

const ended = async ({ hosts, refs }: Begun, rank = 0, exitCode = 143) => {
  const cause = exitCode === 0 ? "exited" : "cancelled";
  const ref = refs[rank] ?? { jobId: "", fence: 0 };
  return hosts[rank]?.report({ ...ref, state: "exited", cause, exitCode, chunks: 0, logsComplete: true });
};

const upOf = async (world: TestWorld, clusterId: string) =>
  (await Slots.get(world.table, "acme", clusterId))?.hosts.map(slot => slot.up);

test("a job that is tried again for it is told to end while it can save what it has, and goes on elsewhere", async () => {
  const of = await begun({ retry });
  const { world, id, hosts } = of;
  expect(await toldTo(of)).toBeUndefined();
  await warned(world, machineOf(world, 0), "interruption");
  expect((await why(world, ADA, id)).reasons).toContain("the cloud takes the machine of host 0 back");
  expect(await toldTo(of)).toBe("interrupted");
  await ended(of);
  expect(await jobOf(world, id)).toMatchObject({
    state: "recovering",
    failure: { code: "interrupted", message: "the cloud takes the machine of rank 0 back" },
  });
  await ringAll(world);
  expect((await hosts[0]?.poll())?.assignments).toEqual([]);
  expect((await assigned(hosts[1])).env.MUSTER_ATTEMPT).toBe("2");
});

test("all nodes of a gang are told, once, however often it is announced", async () => {
  const of = await begun({ retry }, 2);
  const { world, id } = of;
  await warned(world, machineOf(world, 1), "interruption");
  await warned(world, machineOf(world, 1), "interruption");
  expect([await toldTo(of, 0), await toldTo(of, 1)]).toEqual(["interrupted", "interrupted"]);
  await ended(of, 0);
  await ended(of, 1);
  expect(await jobOf(world, id)).toMatchObject({ state: "recovering", attempts: 1 });
});

test("what was announced to somebody who died over it is done with the next announcement", async () => {
  const of = await begun({ retry });
  const host = await load(of.world.table, Host.noun, Keys.host("acme", of.clusterId, 0));
  if (host === undefined) throw new Error("no host");
  const interruptedAt = of.world.clock.now();
  await of.world.table.write([amend<Host.Host>(Host.noun, host, { interruptedAt }).write]);
  expect(await toldTo(of)).toBeUndefined();
  await warned(of.world, machineOf(of.world, 0), "interruption");
  expect(await toldTo(of)).toBe("interrupted");
});

test("one that ends well before it is told has succeeded", async () => {
  const of = await begun({ retry });
  await warned(of.world, machineOf(of.world, 0), "interruption");
  await ended(of, 0, 0);
  expect(await jobOf(of.world, of.id)).toMatchObject({ state: "succeeded", exitCode: 0 });
});

test("one that is not tried again for it goes on, as does one whose tries are used up, and one of another host", async () => {
  const plain = await begun();
  await warned(plain.world, machineOf(plain.world, 0), "interruption");
  expect(await toldTo(plain)).toBeUndefined();
  const spent = await begun({ retry: { ...retry, max: 0 } });
  await warned(spent.world, machineOf(spent.world, 0), "interruption");
  expect(await toldTo(spent)).toBeUndefined();
  const other = await begun({ retry });
  await warned(other.world, machineOf(other.world, 1), "interruption");
  expect(await toldTo(other)).toBeUndefined();
});

test("that it may happen soon is no reason to end anything, nor to place nothing there", async () => {
  const of = await begun({ retry });
  await warned(of.world, machineOf(of.world, 0), "rebalance");
  expect(await toldTo(of)).toBeUndefined();
  expect(await upOf(of.world, of.clusterId)).toEqual([true, true]);
});

test("nothing new is placed on that host, though it still calls", async () => {
  const { world, clusterId, hosts, id } = await begun();
  const second = await submit(world, ADA, "demo", jobRequest());
  await hold(world, ADA, second.id);
  await hosts[1]?.poll();
  await warned(world, machineOf(world, 1), "interruption");
  await release(world, ADA, second.id);
  expect((await hosts[1]?.poll())?.assignments).toEqual([]);
  expect(await upOf(world, clusterId)).toEqual([true, false]);
  expect(await jobOf(world, second.id)).toMatchObject({ state: "queued" });
  expect(await jobOf(world, id)).toMatchObject({ state: "running" });
});

test("nor by the very poll that brings the news", async () => {
  const { world, clusterId, hosts } = await begun();
  await submit(world, ADA, "demo", jobRequest());
  const host = hosts[1];
  if (host === undefined) throw new Error("no host");
  expect((await host.poll([], { kind: "interruption" })).assignments).toEqual([]);
  expect(await upOf(world, clusterId)).toEqual([true, false]);
});

test("a machine that is spared takes jobs again", async () => {
  const { world, clusterId, hosts } = await begun();
  await warned(world, machineOf(world, 1), "interruption");
  world.clock.pass(11 * MINUTE);
  await hosts[1]?.poll();
  expect(await upOf(world, clusterId)).toEqual([true, true]);
});

test("a managed job's machines are made anew as soon as it has ended there, not when they are found gone", async () => {
  const made = await launched();
  const { world, clusterId, id } = made;
  const { hosts, refs } = await runs(made);
  await warned(world, machineOf(world, 0), "interruption");
  await ended({ ...made, hosts, refs });
  await ringAll(world);
  expect(await get(world, ADA, clusterId)).toMatchObject({ generation: 2 });
  expect([...world.provider.machines.values()].map(({ generation }) => generation)).toEqual([2]);
  expect(await jobOf(world, id)).toMatchObject({ state: "recovering", attempts: 1 });
});

test("a machine that goes before its job has ended there: the try has ended, once", async () => {
  const of = await begun({ retry });
  const { world, id } = of;
  const machine = machineOf(world, 0);
  await warned(world, machine, "interruption");
  world.provider.machines.delete(machine);
  await moved(world, machine);
  expect(await jobOf(world, id)).toMatchObject({ state: "queued", attempts: 1 });
});
