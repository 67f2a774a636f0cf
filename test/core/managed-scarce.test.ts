/** Managed jobs for which there are no machines, and what is theirs alone: through the real verbs, on SQLite in memory. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { create, plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, code, jobRequest, passing, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

import { assigned, budgetOf, clusterOf, jobOf, launched, request, until } from "./managed-support.ts";

describe("there are no machines", () => {
  const scarce = () => {
    const world = testWorld();
    for (const { instanceType } of world.provider.offered) world.provider.full.add(instanceType);
    return world;
  };

  test("it goes on trying, with pauses of ten minutes at most, until there are some", async () => {
    const { world, clusterId, id } = await launched({}, scarce());
    expect(await clusterOf(world, clusterId)).toMatchObject({ state: "draining", renew: true });
    expect((await jobOf(world, id)).state).toBe("queued");
    expect((await why(world, ADA, id)).reasons).toEqual([
      "no large left",
      expect.stringMatching(/^new machines for cluster '.*' are looked for at 2026-/),
    ]);
    await passing(world, 120);
    const rounds = (await clusterOf(world, clusterId)).generation;
    // 30 s, 1, 2, 4, 8 minutes, and then 10 each.
    expect(rounds).toBeGreaterThanOrEqual(14);
    expect(rounds).toBeLessThanOrEqual(18);
    world.provider.full.clear();
    expect(await until(world, clusterId, "booting")).toBeLessThanOrEqual(11);
    const [host] = await enrollAll(world);
    await host?.run(await assigned(host), 0);
    expect(await jobOf(world, id)).toMatchObject({ state: "succeeded", attempts: 1 });
  });

  test("until its retries are used up: the job ends with the reason, and so does the cluster", async () => {
    const { world, clusterId, id } = await launched({ retry: { max: 3, on: ["capacity"] } }, scarce());
    await passing(world, 60);
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", attempts: 0, failure: { code: "no_capacity" } });
    expect(await clusterOf(world, clusterId)).toMatchObject({ state: "failed", generation: 4 });
    expect(await budgetOf(world)).toBe(0);
  });

  test("or until it has waited for as long as it may", async () => {
    const { world, clusterId, id } = await launched({ queueTimeout: 1800 }, scarce());
    await passing(world, 29);
    expect((await jobOf(world, id)).state).toBe("queued");
    await passing(world, 15);
    expect((await jobOf(world, id)).state).toBe("timed_out");
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
  });

  test("a job that is not about capacity ends at once", async () => {
    const { world, clusterId, id } = await launched({ retry: { on: ["host_lost"] } }, scarce());
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", failure: { code: "no_capacity" } });
    expect((await clusterOf(world, clusterId)).state).toBe("failed");
  });
});

describe("somebody ends it while its cluster waits for machines", () => {
  const waiting = async (more = {}) => {
    const world = testWorld();
    for (const { instanceType } of world.provider.offered) world.provider.full.add(instanceType);
    const { cluster, job } = await create(world, ADA, request({}, more));
    await reconcile(world, ref(cluster.id));
    await passing(world, 20);
    expect((await clusterOf(world, cluster.id)).state).toBe("draining");
    return { world, clusterId: cluster.id, id: job?.id ?? "" };
  };

  test("by cancelling the job", async () => {
    const { world, clusterId, id } = await waiting();
    expect((await cancel(world, ADA, id)).state).toBe("cancelled");
    await sweepDue(world);
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
  });

  test("by taking the cluster down", async () => {
    const { world, clusterId, id } = await waiting();
    expect((await Change.remove(world, ADA, clusterId)).renew).toBeUndefined();
    await sweepDue(world);
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
    expect((await jobOf(world, id)).state).toBe("cancelled");
  });

  test("or its time is over", async () => {
    const { world, clusterId, id } = await waiting({ maxLifetime: 22 });
    await passing(world, 1);
    expect((await clusterOf(world, clusterId)).state).toBe("draining");
    await passing(world, 2);
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
    expect((await jobOf(world, id)).state).toBe("cancelled");
  });
});

describe("its cluster is its own", () => {
  test("one that is there is not used, nor planned to be", async () => {
    const world = testWorld();
    await Create.create(world, ADA, clusterRequest());
    expect(await code(create(world, ADA, request({}, { cluster: "demo" })))).toBe("name_taken");
    expect(await code(plan(world, ADA, request({}, { cluster: "demo" })))).toBe("name_taken");
  });

  test("nobody else uses or changes it", async () => {
    const world = testWorld();
    const { cluster } = await create(world, ADA, request({}, { cluster: "mine" }));
    expect(cluster).toMatchObject({ managedBy: expect.stringMatching(/^job_/), name: "mine" });
    expect(await code(submit(world, ADA, "mine", jobRequest()))).toBe("conflict");
    expect(await code(create(world, ADA, { ...request({}, { cluster: "mine" }), managed: false }))).toBe("conflict");
    expect(await code(Create.create(world, ADA, clusterRequest({ name: "mine", nodes: 2 })))).toBe("conflict");
    expect(await code(Change.stop(world, ADA, "mine"))).toBe("conflict");
    expect(await code(Change.autostop(world, ADA, "mine", "never"))).toBe("conflict");
  });

  test("it ends with its job, and is never stopped by itself, whatever the task says", async () => {
    const world = testWorld();
    const { cluster, job } = await create(world, ADA, request({}, { idle: { after: 10, action: "stop" } }));
    expect(cluster.idle).toEqual({ after: 10, action: "terminate" });
    expect(job).toMatchObject({ managed: true, down: true, retry: { max: 100 } });
  });

  test.each([
    [{ task: {} }, "managed"],
    [{ task: { run: "x", runs: { count: 2 } } }, "task.runs"],
  ])("a launch of %j is refused", (body, path) => {
    const { error } = Launch.Create.safeParse({ ...body, managed: true });
    expect(error?.issues.map(issue => issue.path.join("."))).toEqual([path]);
  });
});
