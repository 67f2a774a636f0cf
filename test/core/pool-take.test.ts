/** Launches that take clusters from a pool, through the real verbs, on SQLite in memory; and interleavings by seed. */
import { change } from "@muster/core/budget/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { byName } from "@muster/core/cluster/find.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import { create, plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { reconcile } from "@muster/core/pool/reconcile.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { set } from "@muster/core/pool/set.ts";
import { glimpse, load } from "@muster/core/record.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { code, MINUTE, passing } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { turns } from "../support/turns.ts";
import { ADA, BEN, type TestWorld, testWorld } from "../support/world.ts";
import { amiss, details, launch, living, pooled, request, serve } from "./pool-support.ts";

const WARM = { workspace: "acme", name: "warm" };

const clusterOf = async (world: TestWorld, id: string): Promise<Cluster.Cluster> => {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster("acme", id));
  if (cluster === undefined) throw new Error(`there is no ${id}`);
  return cluster;
};

/** Newest last. */
const jobs = async (world: TestWorld): Promise<Job.Job[]> => {
  const { items } = await world.table.query({ pk: Keys.list("acme", "job", "").pk, index: "list", limit: 1000 });
  return items.map(item => glimpse(Job.noun, item));
};

describe("a launch", () => {
  test("takes a stopped member, which starts as the launch's own; and the pool has another", async () => {
    const world = testWorld();
    await pooled(world, { launch: launch({ shared: true }, { setup: "make" }) });
    await serve(world);
    const before = (await living(world)).map(({ id }) => id);
    const asked = launch({ pool: "warm", cluster: "mine", maxLifetime: 60, idle: { after: 5, action: "terminate" } });
    const { cluster, job, pool, reused } = await create(world, BEN, asked);
    expect([before.includes(cluster.id), reused, pool]).toEqual([true, false, { name: "warm", ready: true }]);
    expect(cluster).toMatchObject({
      name: "mine",
      owner: "usr_ben",
      shared: false,
      state: "starting",
    });
    expect(cluster.endBy).toBe(world.clock.now() + 60 * MINUTE);
    await serve(world);
    expect((await jobs(world)).find(({ id }) => id === job?.id)).toMatchObject({
      state: "succeeded",
      owner: "usr_ben",
    });
    const taken = await clusterOf(world, cluster.id);
    expect(taken).toMatchObject({ state: "ready", idle: { after: 5, action: "terminate" } });
    // Machines that would only have stopped were told.
    expect([taken.nextIdle, world.provider.powerOffs.get(cluster.id)]).toEqual([undefined, "terminate"]);
    expect((await byName(world.table, "acme", "mine"))?.id).toBe(cluster.id);
    expect(
      await world.table.get(Keys.clusterName("acme", `run-${cluster.id.slice(-6).toLowerCase()}`)),
    ).toBeUndefined();
    expect(await details(world)).toMatchObject({ ready: 2, made: 3 });
    expect(await amiss(world, 2)).toEqual([]);
    await passing(world, 10, () => serve(world));
    expect((await clusterOf(world, cluster.id)).state).toBe("terminated");
  });

  test("takes one that runs, at once, and keeps the name that was made up for it", async () => {
    const world = testWorld();
    await pooled(world, { keep: "running" });
    await serve(world);
    const { cluster, job } = await create(world, ADA, launch({ pool: "warm" }));
    expect([cluster.state, cluster.name]).toEqual(["ready", `run-${cluster.id.slice(-6).toLowerCase()}`]);
    await ringAll(world);
    expect((await jobs(world)).find(({ id }) => id === job?.id)?.state).toBe("starting");
    expect((await clusterOf(world, cluster.id)).nextIdle ?? (await clusterOf(world, cluster.id)).idle).toEqual({
      after: 30,
      action: "terminate",
    });
  });

  test("prefers what is ready to what still boots, and takes that before it makes one", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    await serve(world);
    await resize(world, ADA, "warm", { size: 2 });
    await ringAll(world);
    const first = await create(world, ADA, launch({ pool: "warm" }));
    const second = await create(world, ADA, launch({ pool: "warm" }));
    const third = await create(world, ADA, launch({ pool: "warm" }));
    expect([first, second, third].map(({ pool, cluster }) => [pool?.ready, cluster.state])).toEqual([
      [true, "starting"],
      [false, "booting"],
      [false, "requested"],
    ]);
    expect(world.provider.intents).toHaveLength(2);
    expect(third.job?.state).toBe("waiting");
    // What prepares the second comes before its job.
    expect((await jobs(world)).find(({ id }) => id === second.job?.id)).toMatchObject({ state: "waiting" });
    await serve(world);
    // The third was prepared as the others were.
    expect((await jobs(world)).filter(({ clusterId }) => clusterId === third.cluster.id)).toMatchObject([
      { id: third.job?.id, state: "succeeded" },
      { name: "warm", state: "succeeded" },
    ]);
    const ended = (await jobs(world)).filter(({ id }) => [first, second, third].some(({ job }) => job?.id === id));
    expect(ended.map(({ state }) => state)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(await details(world)).toMatchObject({ ready: 2 });
  });

  test("whose machine was not prepared ends, and says why", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    const { job } = await create(world, ADA, launch({ pool: "warm" }));
    await resize(world, ADA, "warm", { size: 0 });
    await serve(world, 1);
    expect((await jobs(world)).find(({ id }) => id === job?.id)).toMatchObject({ state: "failed", attempts: 0 });
  });

  test("takes none that was not prepared well, and has still to go", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    const [host] = await enrollAll(world);
    await ringAll(world);
    const [assignment] = (await host?.poll())?.assignments ?? [];
    if (assignment) await host?.run(assignment, 1);
    expect((await jobs(world)).map(({ state }) => state)).toEqual(["failed"]);
    const [member] = await living(world);
    const { cluster, pool } = await create(world, ADA, launch({ pool: "warm" }));
    expect([cluster.id === member?.id, pool?.ready]).toEqual([false, false]);
  });

  test("without work takes a cluster, too", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const { cluster, job } = await create(world, ADA, launch({ pool: "warm", cluster: "mine" }, {}));
    await serve(world);
    expect([job, (await clusterOf(world, cluster.id)).state, await amiss(world, 2)]).toEqual([undefined, "ready", []]);
  });

  test("of a cluster that is there leaves the pool alone", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const first = await create(world, ADA, launch({ cluster: "mine" }));
    const again = await create(world, ADA, launch({ cluster: "mine", pool: "warm" }));
    expect([again.cluster.id === first.cluster.id, again.reused, again.pool]).toEqual([true, true, undefined]);
    expect((await details(world)).members).toHaveLength(2);
  });

  test("is told what it would get, and nothing is taken", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    await serve(world);
    const shown = await plan(world, ADA, launch({ pool: "warm", cluster: "mine" }));
    expect(shown).toMatchObject({ cluster: "mine", reused: false, pool: { name: "warm", ready: true }, nodes: 1 });
    await create(world, ADA, launch({ pool: "warm" }));
    expect((await plan(world, ADA, launch({ pool: "warm" }))).pool).toEqual({ name: "warm", ready: false });
  });

  test("that is repeated gets the same answer", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const actor = { ...ADA, claim: { key: "k", request: "r" } };
    const { cluster } = await create(world, actor, launch({ pool: "warm" }));
    const again = await create(world, actor, launch({ pool: "warm" })).catch(error => error.answer);
    expect([again.cluster.id, (await details(world)).members.length]).toEqual([cluster.id, 1]);
  });
});

describe("what no launch may", () => {
  const refused = async (asked: Parameters<typeof launch>[0], task?: Parameters<typeof launch>[1]) => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const error = await create(world, ADA, launch({ pool: "warm", ...asked }, task)).catch(one => one);
    expect([(await details(world)).members.length, world.provider.intents.length]).toEqual([2, 2]);
    return `${error.code}: ${error.message}`;
  };

  test.each([
    [{}, { run: "true", resources: { accelerators: { A100: 1 } } }, "no accelerator per host; A100:1 was asked for"],
    [{}, { run: "true", nodes: 2 }, "1 host; 2 were asked for"],
    [{ maxConcurrentJobs: 3 }, undefined, "as many jobs at a time as there is room for; 3 were asked for"],
  ])("ask for what its machines are not: %j %j", async (asked, task, why) => {
    const said = await refused(asked, task);
    expect(said.startsWith("conflict: ") && said.endsWith(why) && said.includes("of pool 'warm'")).toBe(true);
  });

  test("ask for a pool that is not there, or together with what a pool cannot do", async () => {
    expect(await refused({ pool: "warn" })).toBe("not_found: there is no pool 'warn'");
    const of = (more: object) =>
      Launch.Create.safeParse({ task: { run: "true" }, pool: "warm", ...more }).error?.issues.map(one =>
        one.path.join(),
      );
    expect([of({ managed: true }), of({ target: "cloud" }), of({})]).toEqual([["managed"], ["target"], undefined]);
  });

  test("take what its workspace cannot pay", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    await change(world, { ...ADA, role: "admin" }, { hourly: 0.05 });
    expect(await code(create(world, ADA, launch({ pool: "warm" })))).toBe("over_budget");
    expect((await details(world)).members).toHaveLength(2);
  });
});

const generator = (seed: number) => {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
};

describe("at once", () => {
  test("no two launches get the same member, whatever the order, and nothing is lost between", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const world = testWorld();
      await pooled(world, { keep: seed % 2 === 0 ? "running" : "stopped" });
      await serve(world);
      const played = turns(world.table, generator(seed), 0.05);
      const part = { ...world, table: played.table };
      const taken: string[] = [];
      const taking = async () => {
        const { cluster } = await create(part, ADA, launch({ pool: "warm" }));
        taken.push(cluster.id);
      };
      const tending = () => reconcile(part, WARM).catch(() => undefined);
      await played.run([taking, taking, taking, tending, tending]);
      expect([seed, new Set(taken).size, await amiss(world, 2)]).toEqual([seed, 3, []]);
      const mine = (await living(world)).filter(({ pool }) => pool === undefined).map(({ id }) => id);
      expect(mine.toSorted()).toEqual(taken.toSorted());
      await serve(world);
      expect([seed, await amiss(world, 2), (await details(world)).ready]).toEqual([seed, [], 2]);
    }
  });

  test("a size that changes while members are made and taken is kept in the end", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const world = testWorld();
      await pooled(world, { size: 1, keep: "running" });
      await serve(world);
      const played = turns(world.table, generator(seed), 0.05);
      const part = { ...world, table: played.table };
      const tending = () => reconcile(part, WARM).catch(() => undefined);
      const settled = (act: () => Promise<unknown>) => () => act().catch(() => undefined);
      await played.run([
        tending,
        settled(() => resize(part, ADA, "warm", { size: 3 })),
        settled(() => create(part, ADA, launch({ pool: "warm" }))),
        settled(() => set(part, ADA, "warm", request({ size: 2, keep: "running" }, { setup: "make other" }))),
        tending,
      ]);
      expect([seed, await amiss(world, 3)]).toEqual([seed, []]);
      await passing(world, 5, () => serve(world));
      const pool = await details(world);
      expect([seed, pool.members.length, pool.ready, await amiss(world, pool.size)]).toEqual([
        seed,
        pool.size,
        pool.size,
        [],
      ]);
    }
  });
});
