/** Arrays that wait: for other jobs, to be released, and no longer than they are to. Through the real verbs, on SQLite. */
import { cancel } from "@muster/core/array/control.ts";
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { release } from "@muster/core/job/hold.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { create } from "@muster/core/launch/create.ts";
import { rerun } from "@muster/core/launch/rerun.ts";
import { expect, test } from "vitest";
import { launchRequest, passing, readyCluster } from "../../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";
import { arrayOf, arrayRequest, infoOf, runAll, withArray } from "./support.ts";

async function ringAll(world: TestWorld): Promise<void> {
  for (const change of world.changes.splice(0)) {
    const ring = ringFor(change);
    if (ring) await answer(world, ring);
  }
}

async function prepared() {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  return { world, id, hosts };
}

test("an array that waits for a job is an array when that has succeeded, with its secrets and its values", async () => {
  const { world, id, hosts } = await prepared();
  const first = await submit(world, ADA, id, arrayRequest(undefined));
  const params = { lr: { values: [1, 2, 3] } };
  const task = { secrets: { TOKEN: "s3cret" } };
  const after = { after: [{ job: first.id, on: "success" as const }] };
  const runs = { sweep: { type: "grid" as const, params } };
  const array = await submit(world, ADA, id, arrayRequest(runs, task, after));
  expect(array.state).toBe("waiting");
  const last = await submit(world, ADA, id, arrayRequest(undefined, {}, { after: [{ job: array.id, on: "success" }] }));
  await runAll(world, id, hosts);
  await ringAll(world);
  expect(await infoOf(world, array.id)).toMatchObject({ state: "running", runs: { count: 3, started: 1 } });
  const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
  expect(assignment).toMatchObject({ jobId: `${array.id}.0`, env: { lr: "1", TOKEN: "s3cret", MUSTER_NUM_RUNS: "3" } });
  expect(await runAll(world, id, hosts)).toEqual([0, 1, 2].map(index => `${array.id}.${index}`));
  await ringAll(world);
  await runAll(world, id, hosts);
  expect((await infoOf(world, last.id)).state).toBe("succeeded");
});

test("one that waits for what fails never begins, and one that is cancelled does not either", async () => {
  const { world, id, hosts } = await prepared();
  const first = await submit(world, ADA, id, arrayRequest(undefined));
  const after = { after: [{ job: first.id, on: "success" as const }] };
  const array = await submit(world, ADA, id, arrayRequest({ count: 5 }, {}, after));
  const other = await submit(world, ADA, id, arrayRequest({ count: 5 }, {}, after));
  expect((await cancel(world, ADA, other.id)).state).toBe("cancelled");
  await runAll(world, id, hosts, () => 1);
  await ringAll(world);
  expect(await infoOf(world, array.id)).toMatchObject({ state: "failed", failure: { code: "dependency_failed" } });
});

test("one that is held begins when it is released", async () => {
  const { world, id, hosts } = await prepared();
  const array = await submit(world, ADA, id, arrayRequest({ count: 2 }, {}, { hold: true }));
  expect(await runAll(world, id, hosts)).toEqual([]);
  await release(world, ADA, array.id);
  expect(await runAll(world, id, hosts)).toHaveLength(2);
  expect((await arrayOf(world, array.id)).state).toBe("succeeded");
});

test("one of which no run begins in its time ends with the reason", async () => {
  const { world, id, hosts } = await prepared();
  await submit(world, ADA, id, arrayRequest(undefined));
  await hosts[0]?.poll();
  const array = await submit(world, ADA, id, arrayRequest({ count: 2 }, { queueTimeout: 120 }));
  expect((await why(world, ADA, array.id)).reasons[0]).toBe("0 of its 2 runs have begun, and 0 of them go on");
  await passing(world, 3, async () => hosts[0]?.poll());
  expect(await infoOf(world, array.id)).toMatchObject({ state: "timed_out", failure: { code: "queue_timeout" } });
  expect((await infoOf(world, `${array.id}.1`)).state).toBe("timed_out");
});

test("a managed launch of many runs is refused", async () => {
  const { world } = await prepared();
  const request = { ...launchRequest, ...arrayRequest({ count: 2 }), cluster: "own", managed: true };
  const error = await create(world, ADA, request).catch(caught => caught);
  expect(error).toMatchObject({ code: "invalid_request", details: { issues: [{ path: "managed" }] } });
});

test("a whole array is run again, or one of its runs with the values that it had", async () => {
  const params = { lr: { values: [0.1, 0.01] } };
  const { world, clusterId, hosts, id } = await withArray({ sweep: { type: "grid", params, seed: 0 } });
  await runAll(world, clusterId, hosts);
  const whole = await rerun(world, ADA, id, {});
  expect(whole.job).toMatchObject({ state: "queued", runs: { count: 2 } });
  const one = await rerun(world, ADA, `${id}.1`, {});
  expect(one.job?.runs).toBeUndefined();
  await runAll(world, clusterId, hosts.slice(0, 0));
  await hosts[0]?.poll();
  const values = await Read.get(world, ADA, `${whole.job?.id}.0`);
  expect(values.values).toEqual({ lr: "0.1" });
  await cancel(world, ADA, whole.job?.id ?? "");
  await passing(world, 2);
  expect((await runAll(world, clusterId, hosts)).at(-1)).toBe(one.job?.id);
});

test("why: what runs, what is in the way, and which run is next", async () => {
  const { world, hosts, id } = await withArray({ count: 9, concurrent: 1 }, 2);
  await hosts[0]?.poll();
  const reasons = async (job: string) => (await why(world, ADA, job)).reasons;
  expect(await reasons(id)).toEqual(["1 of its 9 runs have begun, and 1 of them go on", "no more than 1 at a time"]);
  expect(await reasons(`${id}.4`)).toEqual(["3 of its array are before it", "no more than 1 of them run at a time"]);
});
