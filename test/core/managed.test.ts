/** Managed jobs whose machines are lost, through the real verbs, on SQLite in memory; hosts are agents without machines. */
import { why } from "@muster/core/job/why.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code, MINUTE, passing } from "../support/requests.ts";
import { ADA } from "../support/world.ts";

import { assigned, budgetOf, clusterOf, jobOf, launched, lose, machineOf, runs, until } from "./managed-support.ts";

describe("its machines are lost", () => {
  test("others are made on the same cluster, and the job goes on there", async () => {
    const made = await launched();
    const { world, clusterId, id } = made;
    const { refs } = await runs(made);
    const taken = await budgetOf(world);
    await lose(world, clusterId);
    expect(await jobOf(world, id)).toMatchObject({ state: "recovering", attempts: 1, failure: { code: "host_lost" } });
    expect(await clusterOf(world, clusterId)).toMatchObject({ state: "booting", generation: 2 });
    await passing(world, 1);
    expect((await jobOf(world, id)).state).toBe("queued");
    expect(world.provider.intents.map(({ generation, try: made }) => [generation, made])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(await budgetOf(world)).toBe(taken);
    const [host] = await enrollAll(world);
    const next = await assigned(host);
    expect(next.fence).toBeGreaterThan(refs[0]?.fence ?? 0);
    expect(next.env.MUSTER_ATTEMPT).toBe("2");
    await host?.run(next, 0);
    expect(await jobOf(world, id)).toMatchObject({ state: "succeeded", attempts: 2 });
    await passing(world, 1);
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
    expect(world.provider.machines.size).toBe(0);
    expect(await budgetOf(world)).toBe(0);
  });

  test("one of a gang: the others are ended, and all are new; none of the old ones is left or comes back", async () => {
    const made = await launched({ nodes: 2 });
    const { world, clusterId, id } = made;
    const { hosts, refs } = await runs(made);
    const old = machineOf(world, 0);
    await lose(world, clusterId, 1);
    expect((await hosts[0]?.poll([refs[0] ?? { jobId: id, fence: 0 }]))?.held[0]?.cancel).toBe("peer_failed");
    const end = { ...refs[0], state: "exited", cause: "cancelled", exitCode: 143, chunks: 0, logsComplete: true };
    await hosts[0]?.report(end as never);
    await passing(world, 1);
    expect(world.provider.machines.has(old)).toBe(false);
    expect([...world.provider.machines.values()].map(({ generation }) => generation)).toEqual([2, 2]);
    expect(await code(hosts[0]?.poll() ?? Promise.resolve())).toBe("unauthenticated");
    expect(await sweepOrphans(world)).toEqual([]);
    const again = await runs(made);
    expect(again.refs[0]?.fence).toBeGreaterThan(refs[0]?.fence ?? 0);
  });

  test("a machine of the old ones that shows late is ended", async () => {
    const made = await launched();
    const { world, clusterId } = made;
    await runs(made);
    const [old] = [...world.provider.machines.values()];
    await lose(world, clusterId);
    await passing(world, 1);
    if (old) world.provider.machines.set(old.machineId, old);
    expect(await sweepOrphans(world)).toEqual([old?.machineId]);
    expect([...world.provider.machines.values()].map(({ generation }) => generation)).toEqual([2]);
  });

  test("nothing new is asked for while a machine of before is left", async () => {
    const made = await launched({ nodes: 2 });
    const { world, clusterId, id } = made;
    const { refs, hosts } = await runs(made);
    world.provider.obeys = false;
    await lose(world, clusterId, 1);
    const end = { ...refs[0], state: "exited", cause: "cancelled", exitCode: 143, chunks: 0, logsComplete: true };
    await hosts[0]?.report(end as never);
    await passing(world, 5);
    expect(await clusterOf(world, clusterId)).toMatchObject({ state: "draining", renew: true, generation: 1 });
    expect((await why(world, ADA, id)).reasons.at(-1)).toMatch(/^new machines for cluster '.*' are looked for when/);
    expect(world.provider.intents).toHaveLength(1);
    world.provider.obeys = true;
    await passing(world, 1);
    expect((await clusterOf(world, clusterId)).generation).toBe(2);
  });

  test("as often as its retries allow, and then both end with the reason", async () => {
    const made = await launched({ retry: { max: 1, on: ["host_lost"], backoff: 0 } });
    const { world, clusterId, id } = made;
    await runs(made);
    await lose(world, clusterId);
    await passing(world, 1);
    await runs(made);
    await lose(world, clusterId);
    await passing(world, 2);
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", attempts: 2, failure: { code: "host_lost" } });
    expect((await clusterOf(world, clusterId)).state).toBe("terminated");
    expect(world.provider.machines.size).toBe(0);
  });

  test("while they boot", async () => {
    const { world, clusterId, id } = await launched();
    world.provider.machines.clear();
    await passing(world, 8);
    expect(await jobOf(world, id)).toMatchObject({ state: "queued", attempts: 0 });
    expect((await clusterOf(world, clusterId)).generation).toBe(2);
    expect(world.provider.machines.size).toBe(1);
  });

  test("by a stop from outside: they are ended, and others made", async () => {
    const made = await launched();
    const { world, clusterId, id } = made;
    await runs(made);
    await world.provider.stop({ clusterId });
    await until(world, clusterId, "booting");
    expect(await jobOf(world, id)).toMatchObject({ state: "queued", attempts: 1 });
    expect([...world.provider.machines.values()].map(({ generation, state }) => [generation, state])).toEqual([
      [expect.any(Number), "running"],
    ]);
    expect((await clusterOf(world, clusterId)).generation).toBeGreaterThan(1);
  });
});

test("where the cloud has taken machines back the next ones are not looked for first", async () => {
  const made = await launched();
  const { world, clusterId } = made;
  await runs(made);
  await lose(world, clusterId, 0, true);
  await passing(world, 1);
  expect(world.provider.intents.map(({ offer }) => offer.instanceType)).toEqual(["small", "large"]);
});

test("a job that is tried again for its script keeps its machines", async () => {
  const made = await launched({ retry: { max: 2, on: ["exit_code"], backoff: 0 } });
  const { world, clusterId, id } = made;
  const { hosts, refs } = await runs(made);
  await hosts[0]?.run(refs[0] ?? { jobId: id, fence: 0 }, 1);
  world.clock.pass(MINUTE);
  await sweepDue(world);
  await hosts[0]?.run(await assigned(hosts[0]), 0);
  expect((await jobOf(world, id)).state).toBe("succeeded");
  expect((await clusterOf(world, clusterId)).generation).toBe(1);
});
