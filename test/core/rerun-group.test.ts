/** Jobs that are for one group of hosts, launched and run once more, through the real verbs on SQLite in memory. */
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { create, plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { rerun } from "@muster/core/launch/rerun.ts";
import { set } from "@muster/core/pool/set.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { request } from "./pool-support.ts";

const groups = ["head", "workers"].map(name => ({ name }));

const asked = (more: object = {}): Launch.Create =>
  Launch.Create.parse({ task: { run: "true" }, groups, cluster: "demo", group: "workers", ...more });

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "nothing",
    error => error,
  );

async function launched(world: TestWorld, more: object = {}): Promise<string> {
  const { cluster, job } = await create(world, ADA, asked(more));
  await reconcile(world, { workspace: "acme", clusterId: cluster.id });
  await enrollAll(world);
  return job?.id ?? "";
}

test("a launch may say on which of its cluster's hosts the job runs", async () => {
  const world = testWorld();
  const { job } = await create(world, ADA, asked());
  expect(job?.group).toBe("workers");
  const { job: second } = await create(world, ADA, asked({ groups: undefined, group: "head" }));
  expect(second?.group).toBe("head");
});

test("a job that is run once more is for the same hosts", async () => {
  const world = testWorld();
  const id = await launched(world);
  expect((await rerun(world, ADA, id, {})).job).toMatchObject({ clusterName: "demo", group: "workers" });
});

test("so is an array of them", async () => {
  const world = testWorld();
  const id = await launched(world, { task: { run: "true", runs: { count: 3 } } });
  expect((await rerun(world, ADA, id, {})).job).toMatchObject({ group: "workers", runs: { count: 3 } });
});

test("on a cluster that is made for it, all hosts are such as it was for", async () => {
  const world = testWorld();
  const { job, reused } = await rerun(world, ADA, await launched(world), { cluster: "other" });
  expect([reused, job?.clusterName, job?.group]).toEqual([false, "other", undefined]);
});

test("a group that the cluster has not is refused, with those that it has, and so says the plan", async () => {
  const world = testWorld();
  const id = await launched(world);
  await create(world, ADA, asked({ groups: undefined, cluster: "plain", group: undefined }));
  const unknown = { code: "invalid_request", details: { issues: [{ path: "group" }] } };
  expect(await thrown(rerun(world, ADA, id, { cluster: "plain" }))).toMatchObject(unknown);
  for (const more of [{ group: "worker" }, { group: "worker", cluster: "new" }, { groups: undefined, cluster: "new" }])
    for (const act of [plan, create]) expect(await thrown(act(world, ADA, asked(more)))).toMatchObject(unknown);
  expect(await thrown(plan(world, ADA, asked({ group: "worker" })))).toMatchObject({
    details: { hint: "did you mean 'workers'?" },
  });
});

test("a launch that brings no job has none that could be for a group", () => {
  const read = Launch.Create.safeParse({ task: {}, groups, group: "head" });
  expect(read.error?.issues.map(({ path }) => path)).toEqual([["group"]]);
});

test("a pool prepares all hosts, and not those of one group", async () => {
  const world = testWorld();
  const pinned = request({ launch: asked({ task: { setup: "make" }, cluster: undefined }) });
  expect(await code(set(world, ADA, "warm", pinned))).toBe("invalid_request");
});
