/** What a run of an array is given: its variables, its values, and the secrets that its array keeps. */
import { cancel } from "@muster/core/array/control.ts";
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { requeue } from "@muster/core/job/recover.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepSecrets } from "@muster/core/secret/sweep.ts";
import { expect, test } from "vitest";
import { code, MINUTE, readyCluster } from "../../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";
import { arrayRequest, heldBy, infoOf, runAll, withArray } from "./support.ts";

const grid = {
  sweep: { type: "grid" as const, params: { lr: { values: [0.1, 0.01] }, OPT: { values: ["a b"] } }, seed: 0 },
};

async function ringAll(world: TestWorld): Promise<void> {
  for (const change of world.changes.splice(0)) {
    const ring = ringFor(change);
    if (ring) await answer(world, ring);
  }
}

test("a run reads which one it is, of how many, and its values, which stand over the task's own variables", async () => {
  const { hosts, id } = await withArray(grid, 2, { envs: { lr: "1", KEPT: "yes" } });
  const envs = [];
  for (const host of hosts) envs.push((await host.poll()).assignments[0]?.env);
  expect(envs[1]).toMatchObject({
    MUSTER_JOB_ID: `${id}.1`,
    MUSTER_ARRAY_ID: id,
    MUSTER_RUN_INDEX: "1",
    MUSTER_NUM_RUNS: "2",
    lr: "0.01",
    OPT: "a b",
    KEPT: "yes",
  });
  expect(envs[0]).toMatchObject({ MUSTER_RUN_INDEX: "0", lr: "0.1" });
});

test("secrets are kept once, for all runs, and forgotten with the array's end", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 3 }, 1, { secrets: { TOKEN: "s3cret" } });
  for (let index = 0; index < 3; index++) {
    const { assignments } = (await hosts[0]?.poll()) ?? { assignments: [] };
    expect(assignments[0]).toMatchObject({ jobId: `${id}.${index}`, env: { TOKEN: "s3cret" }, secretNames: ["TOKEN"] });
    world.clock.pass(61 * MINUTE);
    await sweepSecrets(world);
    const [held] = await heldBy(world, clusterId, 0);
    await hosts[0]?.run(held as { jobId: string; fence: number }, 0);
    const rings = world.changes.map(ringFor).filter(ring => ring?.do === "over");
    // What a run ends with is not its own to be forgotten.
    expect(rings.at(0)).toEqual({ do: "over", workspace: "acme", jobId: `${id}.${index}` });
    if (index < 2) await ringAll(world);
    expect(await world.secrets.read({ workspace: "acme", owner: id })).toEqual({ TOKEN: "s3cret" });
  }
  await ringAll(world);
  expect(await world.secrets.read({ workspace: "acme", owner: id })).toBeUndefined();
  expect((await infoOf(world, id)).state).toBe("succeeded");
});

test("secrets of an array that is cancelled before it begins are forgotten", async () => {
  const { world, id } = await withArray({ count: 3 }, 1, { secrets: { TOKEN: "s3cret" } });
  await cancel(world, ADA, id);
  await ringAll(world);
  expect(await world.secrets.read({ workspace: "acme", owner: id })).toBeUndefined();
});

test("a parameter and a secret of the same name are refused", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  const error = await submit(world, ADA, id, arrayRequest(grid, { secrets: { lr: "x" } })).catch(e => e);
  expect(error).toMatchObject({
    code: "invalid_request",
    details: { issues: [{ path: "task.runs.sweep.params.lr" }] },
  });
  expect(await code(submit(world, ADA, id, arrayRequest(grid, { storedSecrets: ["lr"] })))).toBe("invalid_request");
});

test("runs that fail are tried again where their task says so, and count once", async () => {
  const task = { retry: { max: 1, on: ["exit_code" as const], backoff: 0 } };
  const { world, clusterId, hosts, id } = await withArray({ count: 3 }, 1, task);
  const tries = new Map<string, number>();
  for (let round = 0; round < 8; round++) {
    await runAll(world, clusterId, hosts, jobId => {
      tries.set(jobId, (tries.get(jobId) ?? 0) + 1);
      return jobId.endsWith(".1") ? 1 : 0;
    });
    world.clock.pass(1000);
    await ringAll(world);
  }
  expect(Object.fromEntries(tries)).toEqual({ [`${id}.0`]: 1, [`${id}.1`]: 2, [`${id}.2`]: 1 });
  expect(await infoOf(world, id)).toMatchObject({
    state: "failed",
    runs: { started: 3, running: 0, succeeded: 2, failed: 1 },
  });
});

test("a run that is tried again is cancelled with its array, in its pause and in the queue", async () => {
  for (const backoff of [3600, 0]) {
    const task = { retry: { max: 3, on: ["exit_code" as const], backoff } };
    const { world, clusterId, hosts, id } = await withArray({ count: 2, concurrent: 1 }, 1, task);
    await hosts[0]?.poll();
    const [held] = await heldBy(world, clusterId, 0);
    await hosts[0]?.run(held as { jobId: string; fence: number }, 1);
    if (backoff === 0) await requeue(world, { workspace: "acme", jobId: `${id}.0` });
    expect((await infoOf(world, `${id}.0`)).state).toBe(backoff === 0 ? "queued" : "recovering");
    world.changes.splice(0);
    expect((await cancel(world, ADA, id)).state).toBe("cancelling");
    await ringAll(world);
    expect(await infoOf(world, id)).toMatchObject({ state: "cancelled", runs: { running: 0, cancelled: 2 } });
  }
});

test("many runs that go on are told of the end some at a time, each batch by a ring of its own", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 500 }, 80);
  for (const host of hosts) await host.poll();
  expect((await infoOf(world, id)).runs?.running).toBe(80);
  world.changes.splice(0);
  await cancel(world, ADA, id);
  const told = async () => {
    const states = await Promise.all(hosts.map(async (_, index) => (await infoOf(world, `${id}.${index}`)).state));
    return states.filter(state => state === "cancelling").length;
  };
  const counts = [];
  for (let round = 0; round < 3; round++) {
    const ring = world.changes
      .splice(0)
      .map(ringFor)
      .find(found => found?.do === "array");
    if (ring) await answer(world, ring);
    counts.push(await told());
  }
  expect(counts).toEqual([50, 80, 80]);
  for (const [rank, host] of hosts.entries())
    for (const { jobId, fence } of await heldBy(world, clusterId, rank)) await host.run({ jobId, fence }, 143);
  expect(await infoOf(world, id)).toMatchObject({ state: "cancelled", runs: { cancelled: 500 } });
});

test("a parameter may be named as every object's own things are; not as a secret is", async () => {
  const named = (name: string) => ({ sweep: { ...grid.sweep, params: { [name]: { values: [1] } } } });
  const { hosts } = await withArray(named("constructor"));
  expect((await hosts[0]?.poll())?.assignments[0]?.env.constructor).toBe("1");
  expect(await code(withArray(named("TOKEN"), 1, { secrets: { TOKEN: "s3cret" } }))).toBe("invalid_request");
});
