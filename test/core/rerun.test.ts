/** Running a job once more, through the real verbs on SQLite in memory; hosts speak the real agent verbs without a machine. */
import * as Change from "@muster/core/cluster/change.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Job from "@muster/core/job/job.ts";
import { taskOf } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { rerun } from "@muster/core/launch/rerun.ts";
import { load } from "@muster/core/record.ts";
import { type Task as Canonical, Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";

const NODES = [{ name: "head" }, { name: "workers" }].map(group => ({
  ...group,
  nodes: 1,
  resources: {},
  schedulable: true,
}));

async function launched(world: TestWorld, task: object, more: object = {}) {
  const request = { task: Task.parse({ run: "true", ...task }), priority: 500, shared: false, down: false, ...more };
  const { cluster, job } = await launch(world, ADA, request);
  if (job === undefined) throw new Error("the launch made no job");
  await reconcile(world, { workspace: "acme", clusterId: cluster.id });
  await enrollAll(world);
  return { cluster, job };
}

async function storedTask(world: TestWorld, id: string | undefined): Promise<Canonical> {
  const job = await load(world.table, Job.noun, Keys.job("acme", id ?? ""));
  if (job === undefined) throw new Error("there is no such job");
  return taskOf(world.table, job);
}

async function removed(world: TestWorld, clusterId: string): Promise<void> {
  await Change.remove(world, ADA, clusterId);
  for (let round = 0; round < 5; round++) {
    world.clock.pass(60_000);
    await reconcile(world, { workspace: "acme", clusterId });
  }
}

test("it is the same task, in the same order of importance, on the same cluster", async () => {
  const world = testWorld();
  const { cluster, job } = await launched(
    world,
    { name: "train", envs: { A: "1" } },
    { cluster: "demo", priority: 700 },
  );
  const again = await rerun(world, ADA, job.id, {});
  expect(again).toMatchObject({ reused: true, cluster: { id: cluster.id }, job: { name: "train", priority: 700 } });
  expect(again.job?.id).not.toBe(job.id);
  expect(await storedTask(world, again.job?.id)).toEqual(await storedTask(world, job.id));
});

test("it keeps its labels, and gets more", async () => {
  const world = testWorld();
  const { job } = await launched(world, { labels: { team: "vision", stage: "one" } }, { cluster: "demo" });
  expect((await rerun(world, ADA, job.id, {})).job?.labels).toEqual({ team: "vision", stage: "one" });
  const more = await rerun(world, ADA, job.id, { labels: { stage: "two", tried: "" } });
  expect(more.job?.labels).toEqual({ team: "vision", stage: "two", tried: "" });
});

test("where its cluster is gone there is another of its name, or a new one where it had none of its own", async () => {
  const world = testWorld();
  for (const name of ["demo", undefined]) {
    const { cluster, job } = await launched(world, {}, name === undefined ? {} : { cluster: name });
    await removed(world, cluster.id);
    const again = await rerun(world, ADA, job.id, {});
    expect(again.reused).toBe(false);
    expect(again.cluster.id).not.toBe(cluster.id);
    expect(again.cluster.name === cluster.name).toBe(name !== undefined);
  }
});

test("a cluster of several kinds of hosts is not guessed", async () => {
  const world = testWorld();
  const { cluster, job } = await launched(world, {}, { cluster: "demo", groups: NODES });
  await removed(world, cluster.id);
  expect(await code(rerun(world, ADA, job.id, {}))).toBe("conflict");
  expect(await rerun(world, ADA, job.id, { cluster: "other" })).toMatchObject({ cluster: { name: "other" } });
});

test("secrets are given again, or it is refused", async () => {
  const world = testWorld();
  const { job } = await launched(world, { secrets: { TOKEN: "s3cret" } }, { cluster: "demo" });
  expect(await code(rerun(world, ADA, job.id, {}))).toBe("conflict");
  const again = await rerun(world, ADA, job.id, { secrets: { TOKEN: "0ther" } });
  expect(await world.secrets.read({ workspace: "acme", owner: again.job?.id ?? "" })).toEqual({ TOKEN: "0ther" });
});

test("another's cluster, and another workspace's job, stay theirs", async () => {
  const world = testWorld();
  const { job } = await launched(world, {}, { cluster: "demo" });
  expect(await code(rerun(world, BEN, job.id, {}))).toBe("name_taken");
  expect(await code(rerun(world, EVE, job.id, {}))).toBe("not_found");
});

test("a managed job that goes on is run once more on a cluster of its own, where its name was made up", async () => {
  const world = testWorld();
  const { cluster, job } = await launched(world, {}, { managed: true });
  const again = await rerun(world, ADA, job.id, {});
  expect(again).toMatchObject({ reused: false, cluster: { managedBy: again.job?.id } });
  expect(again.cluster.id).not.toBe(cluster.id);
  const named = await launched(world, {}, { managed: true, cluster: "mine" });
  expect(await code(rerun(world, ADA, named.job.id, {}))).toBe("name_taken");
  expect(await rerun(world, ADA, named.job.id, { cluster: "yours" })).toMatchObject({ cluster: { name: "yours" } });
});
