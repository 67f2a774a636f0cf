import * as Change from "@muster/core/cluster/change.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import * as JobRead from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { describe, expect, test } from "vitest";
import {
  jobRequest,
  launchRequest,
  MINUTE,
  passing,
  readyCluster,
  ref,
  stateOf,
  stoppedCluster,
} from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

describe("a start", () => {
  test("that goes on failing comes to an end, and is tried again for the jobs that wait", async () => {
    const world = testWorld();
    const { id, hosts } = await stoppedCluster(world);
    const { start } = world.provider;
    world.provider.start = async () => {
      throw new MusterError("unavailable", "no answer");
    };
    const { job: made } = await launch(world, ADA, launchRequest);
    await passing(world, 11);
    expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "start_failed" } });
    world.provider.start = start;
    await passing(world, 6);
    await hosts[0]?.poll();
    expect(await stateOf(world, id)).toBe("ready");
    expect((await JobRead.get(world, ADA, made?.id ?? "")).state).toBe("starting");
  });

  test("with a machine missing leaves the other disks, and says so at once", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { nodes: 2, idle: "never" });
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    const [first = ""] = world.provider.machines.keys();
    world.provider.machines.delete(first);
    await Change.start(world, ADA, "demo");
    await reconcile(world, ref(id));
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "stopped",
      failure: { code: "machines_lost", message: "1 of its 2 machines is gone" },
    });
    expect(world.provider.machines.size).toBe(1);
  });

  test("with all machines gone ends the cluster", async () => {
    const world = testWorld();
    const { id } = await stoppedCluster(world);
    world.provider.machines.clear();
    await Change.start(world, ADA, "demo");
    await reconcile(world, ref(id));
    expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "machines_lost" } });
  });

  test("without capacity is tried again while a job waits, but not at once", async () => {
    const world = testWorld();
    const { id } = await stoppedCluster(world);
    world.provider.canStart = false;
    let starts = 0;
    const { start } = world.provider;
    world.provider.start = async cluster => {
      starts++;
      return start(cluster);
    };
    await launch(world, ADA, launchRequest);
    await passing(world, 20);
    expect(await stateOf(world, id)).toBe("stopped");
    expect([starts > 2, starts < 7]).toEqual([true, true]);
    world.provider.canStart = true;
    starts = 0;
    await passing(world, 6);
    expect(starts).toBe(1);
  });

  test("whose hosts never call home is tried again while a job waits", async () => {
    const world = testWorld();
    const { id, hosts } = await stoppedCluster(world);
    await launch(world, ADA, launchRequest);
    await passing(world, 6);
    expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "boot_timeout" } });
    await passing(world, 6);
    await hosts[0]?.poll();
    expect(await stateOf(world, id)).toBe("ready");
  });

  test("whose hosts never call home is not paid for for ever: the jobs that wait are told", async () => {
    const world = testWorld();
    const { id } = await stoppedCluster(world);
    const { job } = await launch(world, ADA, launchRequest);
    await passing(world, 60);
    expect(await JobRead.get(world, ADA, job?.id ?? "")).toMatchObject({
      state: "failed",
      failure: { code: "boot_timeout" },
    });
    expect(await stateOf(world, id)).toBe("stopped");
  });

  test("is not tried for the jobs of a cluster that a person stopped", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { idle: "never" });
    await submit(world, ADA, "demo", jobRequest());
    const waiting = await submit(world, ADA, "demo", jobRequest());
    await Change.stop(world, ADA, "demo");
    await passing(world, 90);
    expect([await stateOf(world, id), (await JobRead.get(world, ADA, waiting.id)).state]).toEqual([
      "stopped",
      "queued",
    ]);
  });
});

test("jobs of a cluster that failed end by its failure", async () => {
  const world = testWorld();
  world.provider.full.add("small").add("large");
  const { job: made, cluster } = await launch(world, ADA, launchRequest);
  await reconcile(world, ref(cluster.id));
  expect(await JobRead.get(world, ADA, made?.id ?? "")).toMatchObject({
    state: "failed",
    failure: { code: "no_capacity" },
  });
});

test("a job that ran on machines that are gone ends by its cluster's failure", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const { id: jobId } = await submit(world, ADA, "demo", jobRequest());
  const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
  await hosts[0]?.report({ jobId, fence: assignment?.fence ?? 0, state: "running" });
  const item = await world.table.get(Keys.cluster("acme", id));
  const failure = { code: "machines_lost", message: "its machines are gone" };
  const now = world.clock.now();
  const data = { ...item?.data, state: "draining", failure, dueAt: now, drainingSince: now };
  await world.table.write([
    { put: { ...Keys.cluster("acme", id), type: "cluster", data }, expect: item?.version ?? 0 },
  ]);
  await reconcile(world, ref(id));
  expect((await hosts[0]?.poll([{ jobId, fence: assignment?.fence ?? 0 }]))?.held[0]?.cancel).toBe("peer_failed");
  world.clock.pass(MINUTE);
  await reconcile(world, ref(id));
  expect(await stateOf(world, id)).toBe("failed");
  expect(await JobRead.get(world, ADA, jobId)).toMatchObject({ state: "failed", failure });
});
