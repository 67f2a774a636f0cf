/** Job groups through the real verbs, on SQLite in memory; hosts speak the real agent verbs without a machine. */
import { reconcile as reconcileCluster } from "@muster/core/cluster/reconcile/reconcile.ts";
import { commit, findClaim } from "@muster/core/commit.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { list as listJobs } from "@muster/core/job/list.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create } from "@muster/core/jobgroup/create.ts";
import * as JobGroup from "@muster/core/jobgroup/jobgroup.ts";
import { get } from "@muster/core/jobgroup/read.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { callsOf, enrollGroups } from "../support/groups.ts";
import { ends, groupRequest, obeys, runningGroup, SERVER, statesOf, TRAINER, task } from "../support/job-groups.ts";
import { code, jobRequest, MINUTE, readyCluster, ref, stateOf } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, EVE, testWorld } from "../support/world.ts";

const eventsOf = async (world: ReturnType<typeof testWorld>, id: string) =>
  (await Jobs.events(world, ADA, id, { limit: 100 })).items;

describe("a job group", () => {
  test("is one cluster with hosts for each task, and a job for each on these alone", async () => {
    const world = testWorld();
    const { group, cluster, jobs } = await create(world, ADA, groupRequest());
    expect(group).toMatchObject({ name: "both", state: "running", clusterName: "demo" });
    expect(cluster).toMatchObject({ nodes: 3, groups: [{ name: "trainer", nodes: 2 }, { name: "server" }] });
    expect(jobs).toMatchObject([
      { name: "trainer", group: "trainer", nodes: 2, jobGroup: { id: group.id, name: "both" } },
      { name: "server", group: "server", nodes: 1, jobGroup: { id: group.id, name: "both" } },
    ]);
    await reconcileCluster(world, ref(cluster.id));
    // Not all are there: nothing begins.
    expect(await schedule(world, ref(cluster.id))).toEqual([]);
    await enrollGroups(world);
    expect(callsOf(world).map(([, name, , ranks]) => [name, ranks])).toEqual([
      ["trainer", [0, 1]],
      ["server", [2]],
    ]);
    expect(await schedule(world, ref(cluster.id))).toEqual(jobs.map(({ id }) => id));
    expect((await Jobs.find(world, ADA, jobs[1]?.id ?? "")).state).toBe("starting");
    expect(await get(world, ADA, group.id)).toMatchObject({ tasks: [{ primary: true }, { primary: false, delay: 0 }] });
    expect(await code(get(world, EVE, group.id))).toBe("not_found");
  });

  test("is all or nothing: where one task is refused nothing is there, not even its secrets", async () => {
    const world = testWorld();
    const secret = { task: task("a", { secrets: { KEY: "value" } }) };
    const unknown = { task: task("b", { storedSecrets: ["NONE"] }) };
    const huge = { task: task("b", { resources: { instanceType: "huge" } }) };
    expect(await code(create(world, ADA, groupRequest([secret, unknown])))).toBe("not_found");
    expect(await code(create(world, ADA, groupRequest([secret, huge])))).toBe("no_offer");
    await readyCluster(world);
    expect(await code(create(world, ADA, groupRequest()))).toBe("name_taken");
    world.refuse(9);
    expect(await code(create(world, ADA, groupRequest([secret, SERVER], { cluster: "other" })))).toBe("busy");
    expect((await listJobs(world, ADA, { limit: 100 })).items).toEqual([]);
    expect([...world.secrets.held]).toEqual([]);
  });

  test("keeps the secrets of each task under its own job, until that has ended", async () => {
    const world = testWorld();
    const secret = (name: string) => ({ task: task(name, { secrets: { KEY: `of ${name}` } }) });
    const running = await runningGroup(world, [secret("a"), secret("b")]);
    const keys = ["a", "b"].map(name => `acme ${running.of(name).jobId}`);
    expect([...world.secrets.held.keys()].toSorted()).toEqual(keys.toSorted());
    await ends(running, "a");
    await ringAll(world);
    expect([...world.secrets.held.keys()]).toEqual(keys.slice(1));
  });

  test("that is asked for twice with one key is made once", async () => {
    const world = testWorld();
    const actor = { ...ADA, claim: { key: "k", request: "r" } };
    const { group } = await create(world, actor, groupRequest());
    expect(await findClaim(world, actor)).toMatchObject({ answer: { group: { id: group.id } } });
    await expect(commit(world, actor, [], {})).rejects.toMatchObject({ answer: { group: { id: group.id } } });
  });

  test("ends when its primary task has succeeded, and the server is told to, after its delay", async () => {
    const world = testWorld();
    const running = await runningGroup(world, [TRAINER, { ...SERVER, delay: 30 }]);
    await ends(running, "trainer");
    await ringAll(world);
    expect(await statesOf(world, running)).toEqual({ group: "ending", trainer: "succeeded", server: "starting" });
    world.clock.pass(29_000);
    await sweepDue(world);
    expect(await statesOf(world, running)).toMatchObject({ server: "starting" });
    world.clock.pass(1000);
    await sweepDue(world);
    expect(await statesOf(world, running)).toMatchObject({ group: "ending", server: "cancelling" });
    expect((await eventsOf(world, running.of("server").jobId)).at(-1)?.message).toBe(
      "its job group 'both' ends: its primary tasks have succeeded",
    );
    await obeys(world, running, "server");
    await ringAll(world);
    expect(await statesOf(world, running)).toEqual({ group: "succeeded", trainer: "succeeded", server: "cancelled" });
  });

  test("ends the others at once when a primary task has failed, with the first cause", async () => {
    const world = testWorld();
    const two = { task: task("second") };
    const running = await runningGroup(world, [{ task: task("first") }, two, { ...SERVER, delay: 3600 }]);
    await ends(running, "second", 3);
    await ringAll(world);
    // The other primary task goes on.
    expect(await statesOf(world, running)).toMatchObject({ group: "running", first: "starting", server: "starting" });
    world.clock.pass(1000);
    await ends(running, "first", 4);
    await ringAll(world);
    expect(await statesOf(world, running)).toMatchObject({ group: "ending", server: "cancelling" });
    await obeys(world, running, "server");
    await ringAll(world);
    expect(await get(world, ADA, running.id)).toMatchObject({
      state: "failed",
      failure: { code: "exit_code", message: "task 'second' failed: the script exited with 3 on rank 0" },
    });
  });

  test("is of the primary tasks alone: what becomes of the others changes nothing", async () => {
    const world = testWorld();
    const running = await runningGroup(world);
    await ends(running, "server", 1);
    await ringAll(world);
    expect(await statesOf(world, running)).toEqual({ group: "running", trainer: "starting", server: "failed" });
    await ends(running, "trainer");
    await ringAll(world);
    expect(await statesOf(world, running)).toMatchObject({ group: "succeeded" });
  });

  test("is cancelled with its primary task", async () => {
    const world = testWorld();
    const running = await runningGroup(world);
    await cancel(world, ADA, running.of("trainer").jobId);
    await obeys(world, running, "trainer");
    await ringAll(world);
    await obeys(world, running, "server");
    await ringAll(world);
    expect(await get(world, ADA, running.id)).toMatchObject({
      state: "cancelled",
      failure: { message: "task 'trainer' was cancelled" },
    });
  });

  test("of which nobody is called primary runs until all have ended", async () => {
    const world = testWorld();
    const all = await runningGroup(world, [{ task: task("a") }, { task: task("b") }]);
    await ends(all, "a");
    await ringAll(world);
    expect(await statesOf(world, all)).toEqual({ group: "running", a: "succeeded", b: "starting" });
  });

  test("that is tried again is not over", async () => {
    const world = testWorld();
    const again = { task: task("trainer", { retry: { max: 1, on: ["exit_code"] } }) };
    const running = await runningGroup(world, [again, SERVER]);
    await ends(running, "trainer", 1);
    await ringAll(world);
    expect(await statesOf(world, running)).toMatchObject({
      group: "running",
      trainer: "recovering",
      server: "starting",
    });
  });

  test("takes its cluster along when the last of it has ended", async () => {
    const world = testWorld();
    const running = await runningGroup(world, undefined, { down: true });
    await ends(running, "trainer");
    expect(await stateOf(world, running.clusterId)).toBe("ready");
    await ringAll(world);
    await obeys(world, running, "server");
    await ringAll(world);
    world.clock.pass(10 * MINUTE);
    await sweepDue(world);
    await ringAll(world);
    expect(["draining", "terminated"]).toContain(await stateOf(world, running.clusterId));
  });

  test("ends with its cluster", async () => {
    const world = testWorld();
    const { group } = await create(world, ADA, groupRequest());
    world.provider.full.add("small");
    world.provider.full.add("large");
    await ringAll(world);
    world.clock.pass(MINUTE);
    await sweepDue(world);
    await ringAll(world);
    expect(await statesOf(world, group)).toEqual({ group: "failed", trainer: "failed", server: "failed" });
  });
});

describe("tasks find each other", () => {
  test("by SkyPilot's names and by variables, in every task", async () => {
    const world = testWorld();
    const { of: task } = await runningGroup(world);
    const [assignment] = (await task("server").hosts[0]?.poll())?.assignments ?? [];
    expect(assignment?.env).toMatchObject({
      SKYPILOT_JOBGROUP_NAME: "both",
      MUSTER_JOBGROUP_NAME: "both",
      MUSTER_JOBGROUP_HOSTS: "10.0.0.1 trainer-0.both\n10.0.0.2 trainer-1.both\n10.0.0.3 server-0.both",
      MUSTER_JOBGROUP_IPS_TRAINER: "10.0.0.1\n10.0.0.2",
      MUSTER_JOBGROUP_IPS_SERVER: "10.0.0.3",
      MUSTER_NODE_IPS: "10.0.0.3",
    });
    expect(assignment?.hostNames?.map(({ name }) => name)).toEqual([
      "trainer-0.both",
      "trainer-1.both",
      "server-0.both",
    ]);
  });

  test("a job of no group is told nothing of any", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    await submit(world, ADA, "demo", jobRequest());
    const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
    expect(Object.keys(assignment?.env ?? {}).filter(name => name.includes("JOBGROUP"))).toEqual([]);
    expect(assignment).not.toHaveProperty("hostNames");
  });
});

describe("a request", () => {
  const amiss = (tasks: readonly unknown[]) =>
    JobGroup.Create.safeParse({ name: "both", tasks }).error?.issues.map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    );

  test.each([
    ["one task", [TRAINER], ["tasks: Too small: expected array to have >=2 items"]],
    [
      "a task without a name",
      [TRAINER, { task: { run: "x" } }],
      ["tasks.1.task.name: a task of a job group has a name"],
    ],
    [
      "two of names that differ in a sign alone",
      [{ task: task("a-b") }, { task: task("A_b") }],
      ["tasks.1.task.name: another task is called 'a-b'"],
    ],
    ["nothing to run", [TRAINER, { task: { name: "x" } }], ["tasks.1.task.run: give a script in run (or setup)"]],
    [
      "many runs",
      [TRAINER, { task: task("x", { runs: { count: 3 } }) }],
      ["tasks.1.task.runs: a task of a job group is one run"],
    ],
    ["nobody primary", [SERVER, { task: task("x"), primary: false }], ["tasks: at least one task is primary"]],
    [
      "too many hosts",
      [{ task: task("a", { nodes: 1024 }) }, SERVER],
      ["tasks: a cluster has at most 1024 hosts; these are 1025"],
    ],
  ])("of %s is refused with its place", (_, tasks, expected) => {
    expect(amiss(tasks)).toEqual(expected);
  });

  test("of eight tasks is one transaction", async () => {
    const world = testWorld();
    const tasks = Array.from({ length: 8 }, (_, index) => ({ task: task(`t${index}`) }));
    const sizes: number[] = [];
    const write: typeof world.table.write = async all => {
      sizes.push(all.length);
      return world.table.write(all);
    };
    const made = await create({ ...world, table: { ...world.table, write } }, ADA, groupRequest(tasks));
    expect(made.jobs).toHaveLength(8);
    // Of 100 that one may have: the cluster, its name, what it holds of the quotas, both budgets, the group, three for each job.
    expect(sizes).toEqual([33]);
  });
});
