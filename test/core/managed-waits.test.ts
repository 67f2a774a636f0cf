/** Managed jobs that wait for others, or are held back: no machine is paid for meanwhile. SQLite in memory; hosts are agents without machines. */
import { cancel } from "@muster/core/job/cancel.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import { why } from "@muster/core/job/why.ts";
import { create } from "@muster/core/launch/create.ts";
import { step } from "@muster/core/machine/step.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code, launchRequest, MINUTE, passing, readyCluster, ref } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { first, runNext } from "./after-support.ts";
import { assigned, budgetOf, clusterOf, jobOf, launched, request, until } from "./managed-support.ts";

async function managed(world: TestWorld, more: object) {
  const { cluster, job } = await create(world, ADA, request({}, more));
  await ringAll(world);
  return { clusterId: cluster.id, id: job?.id ?? "" };
}

/** A job of `demo`, whose host waits for it, and a managed one that waits for its end. */
async function behind(on: "success" | "end" = "success") {
  const world = testWorld();
  const { hosts } = await readyCluster(world, { idle: "never" });
  const before = await first(world, { hold: true });
  const intents = world.provider.intents.length;
  return {
    world,
    before,
    host: hosts[0],
    made: () => world.provider.intents.length - intents,
    ...(await managed(world, { after: [{ job: before.id, on }] })),
  };
}

test("its machines are made when what it waits for has ended, not before", async () => {
  const { world, before, host, made, clusterId, id } = await behind();
  await passing(world, 90, async () => host?.poll());
  expect([made(), (await clusterOf(world, clusterId)).state, (await jobOf(world, id)).state]).toEqual([
    0,
    "requested",
    "waiting",
  ]);
  await release(world, ADA, before.id);
  await runNext(host);
  await ringAll(world);
  expect([made(), (await clusterOf(world, clusterId)).state]).toEqual([1, "booting"]);
  const [mine] = await enrollAll(world);
  await mine?.run(await assigned(mine), 0);
  expect((await jobOf(world, id)).state).toBe("succeeded");
  expect(await until(world, clusterId, "terminated")).toBeLessThan(5);
});

test("though all rings are lost it is seen to", async () => {
  const { world, before, host, made } = await behind();
  await release(world, ADA, before.id);
  await runNext(host);
  world.changes.splice(0);
  for (let minute = 0; minute < 80 && made() === 0; minute++) await passing(world, 1);
  expect(made()).toBe(1);
});

test("when that fails both end, and there never was a machine", async () => {
  const { world, before, host, made, clusterId, id } = await behind();
  await release(world, ADA, before.id);
  await runNext(host, 1);
  await ringAll(world);
  expect(await jobOf(world, id)).toMatchObject({ state: "failed", failure: { code: "dependency_failed" } });
  await passing(world, 1);
  expect([made(), (await clusterOf(world, clusterId)).state]).toEqual([0, "terminated"]);
});

test("one that is held has no machines until it is released, and its workflow does not wait for that", async () => {
  const world = testWorld();
  const { clusterId, id } = await managed(world, { hold: true });
  expect(world.provider.intents).toEqual([]);
  expect(await step(world, ref(clusterId))).toEqual({ next: "done", state: "requested" });
  expect((await why(world, ADA, id)).reasons).toEqual([`it is held back by ${ADA.id}, until somebody releases it`]);
  await release(world, ADA, id);
  await ringAll(world);
  expect(world.provider.intents).toHaveLength(1);
});

test("one that is cancelled while it waits takes its cluster along", async () => {
  const world = testWorld();
  const { clusterId, id } = await managed(world, { hold: true });
  await cancel(world, ADA, id);
  await ringAll(world);
  await passing(world, 1);
  expect((await clusterOf(world, clusterId)).state).toBe("terminated");
  expect(world.provider.intents).toEqual([]);
  expect(await budgetOf(world)).toBe(0);
});

test("one that is held back while its machines boot: they go when they are idle, and come back when it is released", async () => {
  const made = await launched();
  const { world, clusterId, id } = made;
  await hold(world, ADA, id);
  const [host] = await enrollAll(world);
  expect((await host?.poll())?.assignments).toEqual([]);
  await passing(world, 45);
  expect(world.provider.machines.size).toBe(0);
  expect(await clusterOf(world, clusterId)).toMatchObject({ state: "requested", generation: 2 });
  expect((await jobOf(world, id)).state).toBe("waiting");
  await release(world, ADA, id);
  world.clock.pass(MINUTE);
  await ringAll(world);
  const [again] = await enrollAll(world);
  await again?.run(await assigned(again), 0);
  expect((await jobOf(world, id)).state).toBe("succeeded");
});

test.each([false, true])("a launch that would wait in vain makes no cluster (managed: %s)", async isManaged => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, { idle: "never" });
  const before = await first(world);
  await runNext(hosts[0], 1);
  const intents = world.provider.intents.length;
  const asked = { ...launchRequest, cluster: "other", after: [{ job: before.id, on: "success" as const }] };
  const launching = create(world, ADA, { ...asked, ...(isManaged && { managed: true }) });
  await expect(launching).rejects.toMatchObject({
    code: "conflict",
    details: { issues: [{ path: "after.0.job", message: `${before.id} failed` }] },
  });
  expect(await code(clusterOf(world, "other"))).toBe("not_found");
  expect(world.provider.intents).toHaveLength(intents);
});

test("a workflow goes on waiting for a cluster that could not be planned just now", async () => {
  const world = testWorld();
  const { cluster } = await create(world, ADA, request());
  world.refuse(20);
  expect(await step(world, ref(cluster.id))).toEqual({ next: "wait", state: "requested" });
});
