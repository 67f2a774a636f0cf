/** Machines that the cloud takes back: who is told why. Core on SQLite in memory, with a provider of ours. */
import { events, get } from "@muster/core/cluster/read.ts";
import { moved, warned } from "@muster/core/host/heard.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { jobRequest, passing, readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

async function running() {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world);
  const job = await submit(world, ADA, id, jobRequest());
  await hosts[0]?.poll();
  const fence = (await Read.get(world, ADA, job.id)).fence ?? 0;
  await hosts[0]?.report({ jobId: job.id, fence, state: "running" });
  const [machine = ""] = world.provider.machines.keys();
  return { world, id, host: hosts[0], job: job.id, fence, machine };
}

const jobOf = async ({ world, job }: Awaited<ReturnType<typeof running>>) => Read.get(world, ADA, job);

test("a job whose machine was announced to end, and has ended, was interrupted; so was its cluster", async () => {
  const of = await running();
  expect(await warned(of.world, of.machine, "interruption")).toBe(true);
  expect((await jobOf(of)).state).toBe("running");
  of.world.provider.machines.clear();
  expect(await moved(of.world, of.machine)).toBe(true);
  expect(await jobOf(of)).toMatchObject({
    state: "failed",
    failure: { code: "interrupted", message: "the cloud took the machine back on rank 0" },
  });
  await passing(of.world, 12);
  expect(await get(of.world, ADA, of.id)).toMatchObject({ state: "failed", failure: { code: "interrupted" } });
});

test("without an announcement its host was lost", async () => {
  const of = await running();
  of.world.provider.machines.clear();
  await moved(of.world, of.machine);
  expect((await jobOf(of)).failure?.code).toBe("host_lost");
  await passing(of.world, 12);
  expect((await get(of.world, ADA, of.id)).failure?.code).toBe("hosts_lost");
});

test("an agent that ends its job because its machine goes down says what the cloud has announced", async () => {
  const of = await running();
  await warned(of.world, of.machine, "interruption");
  const { job: jobId, fence } = of;
  await of.host?.report({ jobId, fence, state: "exited", cause: "host_lost", chunks: 0, logsComplete: false });
  expect((await jobOf(of)).failure?.code).toBe("interrupted");
});

test("an announcement that comes from the cloud and from the machine is one line; of a stranger's machine, none", async () => {
  const of = await running();
  await warned(of.world, of.machine, "rebalance");
  await warned(of.world, of.machine, "interruption");
  await warned(of.world, of.machine, "interruption");
  expect(await warned(of.world, "i-0stranger", "interruption")).toBe(false);
  const { items } = await events(of.world, ADA, of.id, { limit: 100 });
  expect(
    items.map(event => event.kind).filter(kind => kind.startsWith("host.in") || kind.startsWith("host.re")),
  ).toEqual(["host.rebalance", "host.interruption"]);
});
