/** What clusters, jobs, users and months cost; through the real verbs and reconcilers, on a provider of ours. */
import * as Budgets from "@muster/core/budget/budget.ts";
import * as Budget from "@muster/core/budget/change.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { HOUR, MILLION } from "@muster/core/cost/amount.ts";
import { costAt, soFar } from "@muster/core/cost/cost.ts";
import { costs } from "@muster/core/cost/read.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { load } from "@muster/core/record.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, jobRequest, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const BEN = { workspace: "acme", id: "usr_ben", role: "member" } as const;

/** Its machines cost $3.60 an hour, a tenth of a cent each second; their disks $0.036. */
function priced(hourly = 3.6, disk = 0.036): TestWorld {
  const world = testWorld();
  world.provider.offered.splice(0, 2, ...world.provider.offered.map(offer => ({ ...offer, hourly, disk })));
  return world;
}

/** Without the sweep: the clock alone. */
const pass = (world: TestWorld, ms: number) => world.clock.pass(ms);
const recordOf = async (world: TestWorld, id: string) => load(world.table, Cluster.noun, Keys.cluster("acme", id));
const costOf = async (world: TestWorld, id: string) =>
  costAt((await recordOf(world, id))?.cost, world.clock.now()) / MILLION;
const spent = async (world: TestWorld, user?: string) => (await Budget.get(world, ADA, user)).monthly.spent;

describe("a cluster", () => {
  test("costs nothing before it has machines, then by the second, and its disks while it is stopped", async () => {
    const world = priced();
    const { id } = await Create.create(world, ADA, clusterRequest({ idle: "never" }));
    pass(world, HOUR);
    expect(await costOf(world, id)).toBe(0);
    await reconcile(world, ref(id));
    await enrollAll(world);
    pass(world, 1_000_000);
    expect([await costOf(world, id), await spent(world), await spent(world, ADA.id)]).toEqual([1, 1, 1]);
    await Change.stop(world, ADA, id);
    await reconcile(world, ref(id));
    pass(world, 10 * HOUR);
    expect(await get(world, ADA, id)).toMatchObject({ state: "stopped", stoppedHourly: 0.036 });
    expect((await costs(world, ADA, { by: "cluster" })).items).toEqual([
      { id, name: expect.any(String), cost: 1.36, hourly: 0.036, stopped: true },
    ]);
    expect([await costOf(world, id), await spent(world)]).toEqual([1.36, 1.36]);
    await Change.start(world, ADA, id);
    await reconcile(world, ref(id));
    pass(world, 1_000_000);
    expect([await costOf(world, id), await spent(world)]).toEqual([2.36, 2.36]);
    await Change.remove(world, ADA, id);
    await passing(world, 2);
    const ended = await costOf(world, id);
    pass(world, HOUR);
    expect((await get(world, ADA, id)).state).toBe("terminated");
    expect([await costOf(world, id), await spent(world)]).toEqual([ended, ended]);
  });

  test("that ends at once has cost a minute", async () => {
    const world = priced();
    const { id } = await Create.create(world, ADA, clusterRequest());
    await reconcile(world, ref(id));
    pass(world, 1000);
    await Change.remove(world, ADA, id);
    await reconcile(world, ref(id));
    const { state, cost } = await get(world, ADA, id);
    expect([state, soFar(cost, world.clock.now()), await spent(world)]).toEqual(["terminated", 0.06, 0.06]);
  });

  test("whose call answers once more has started once", async () => {
    const world = priced();
    const { id } = await Create.create(world, ADA, clusterRequest());
    const launch = world.provider.launch.bind(world.provider);
    const [called, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.provider.launch = async intent => {
      const machines = await launch(intent);
      called.resolve();
      await gate.promise;
      return machines;
    };
    const late = reconcile(world, ref(id));
    await called.promise;
    pass(world, 2 * 60_000);
    world.provider.launch = launch;
    await reconcile(world, ref(id));
    await Change.remove(world, ADA, id);
    pass(world, 30_000);
    gate.resolve();
    await late;
    await passing(world, 2);
    expect([(await get(world, ADA, id)).state, await costOf(world, id), await spent(world)]).toEqual([
      "terminated",
      0.06,
      0.06,
    ]);
  });

  test("that is refused everywhere has cost nothing", async () => {
    const world = priced();
    world.provider.full.add("small").add("large");
    const { id } = await Create.create(world, ADA, clusterRequest());
    await reconcile(world, ref(id));
    await passing(world, 3);
    expect([(await get(world, ADA, id)).state, await costOf(world, id), await spent(world)]).toEqual(["failed", 0, 0]);
  });

  test("that costs nothing writes nothing of it, neither in its record nor beside it", async () => {
    const world = priced(0, 0);
    const { id } = await readyCluster(world);
    await Change.stop(world, ADA, id);
    await reconcile(world, ref(id));
    await Change.remove(world, ADA, id);
    await passing(world, 2);
    const types = world.changes.map(change => ("item" in change ? change.item.type : "removed"));
    expect(types).not.toContain("month");
    // It is counted among what is alive, and no more.
    const budget = await Budgets.get(world.table, ADA.workspace);
    expect([budget.taken, budget.meter, budget.held]).toEqual([0, undefined, { clusters: 0, hosts: 0, gpus: 0 }]);
    expect((await recordOf(world, id))?.cost).toBeUndefined();
  });

  test("in an idle system costs more with time, and nothing is written", async () => {
    const world = priced();
    const { id } = await readyCluster(world, { idle: "never" });
    const before = world.changes.length;
    pass(world, 25 * 24 * HOUR);
    expect(await costOf(world, id)).toBeCloseTo(25 * 24 * 3.6, 6);
    await costs(world, ADA, { by: "cluster" });
    expect(world.changes.length).toBe(before);
  });
});

describe("a month", () => {
  test("ends with what it came to, and the next begins with nothing; users and clusters alike", async () => {
    const world = priced();
    await Budget.change(world, { ...ADA, role: "admin" }, { monthly: null });
    const { id } = await readyCluster(world, { idle: "never" });
    const begun = world.clock.now();
    const end = Date.UTC(2026, 1, 1);
    pass(world, end - begun + 10 * HOUR);
    const january = ((end - begun) / HOUR) * 3.6;
    const expected = { total: january, items: [{ id: ADA.id, cost: january }] };
    const of = (month: string) => costs(world, ADA, { by: "user", month });
    const close = async () => {
      const found = await of("2026-01");
      expect(found.total).toBeCloseTo(expected.total, 4);
      expect(found.items[0]?.cost).toBeCloseTo(january, 4);
      expect((await of("2026-02")).total).toBeCloseTo(36, 4);
    };
    // From the clock alone; and then from the item of the month, which the next change has left.
    await close();
    await Change.remove(world, ADA, id);
    await reconcile(world, ref(id));
    await close();
    expect((await of("2025-12")).items).toEqual([]);
    const byCluster = await costs(world, ADA, { by: "cluster", month: "2026-01" });
    expect(byCluster).toMatchObject({ items: [], complete: false });
    expect((await costs(world, ADA, { by: "cluster" })).items[0]?.cost).toBeCloseTo(36, 4);
  });

  test("is each user's by what is theirs, and together the workspace's", async () => {
    const world = priced();
    await readyCluster(world, { idle: "never" });
    const { id } = await Create.create(world, BEN, clusterRequest({ name: "bens", nodes: 2, idle: "never" }));
    await reconcile(world, ref(id));
    pass(world, HOUR);
    const { items, total, forecast } = await costs(world, ADA, { by: "user" });
    expect(items).toEqual([
      { id: BEN.id, cost: 7.2, hourly: 7.2 },
      { id: ADA.id, cost: 3.6, hourly: 3.6 },
    ]);
    expect(total).toBeCloseTo(10.8, 6);
    const left = (Date.UTC(2026, 1, 1) - world.clock.now()) / HOUR;
    expect(forecast).toBeCloseTo(10.8 + left * 10.8, 4);
  });
});

describe("a job", () => {
  test("costs its share of its host, while it has it, and says so for good", async () => {
    const world = priced();
    const { id, hosts } = await readyCluster(world, { idle: "never" });
    const run = async (task: Parameters<typeof jobRequest>[0]) => {
      const { id: jobId } = await submit(world, ADA, id, jobRequest(task));
      await hosts[0]?.poll();
      pass(world, 1_000_000);
      const fence = (await Read.get(world, ADA, jobId)).fence ?? 0;
      await hosts[0]?.run({ jobId, fence }, 0);
      pass(world, HOUR);
      return soFar((await Read.get(world, ADA, jobId)).cost, world.clock.now());
    };
    expect(await run({ labels: { team: "vision" } })).toBe(1);
    expect(
      await run({ resources: { cpus: { count: 1, atLeast: false } }, labels: { team: "vision", kind: "small" } }),
    ).toBe(0.25);
    expect((await costs(world, ADA, { by: "label" })).items).toEqual([
      { id: "team=vision", cost: 1.25 },
      { id: "kind=small", cost: 0.25 },
    ]);
    expect((await costs(world, ADA, { by: "job" })).items.map(({ cost }) => cost)).toEqual([1, 0.25]);
  });

  test("that is an array costs what its runs have, and a run no more than its own", async () => {
    const world = priced();
    const { id, hosts } = await readyCluster(world, { idle: "never" });
    const labels = { team: "vision" };
    const array = await submit(world, ADA, id, jobRequest({ runs: { count: 2 }, labels }));
    for (const index of [0, 1]) {
      await hosts[0]?.poll();
      pass(world, 1_000_000);
      const jobId = `${array.id}.${index}`;
      await hosts[0]?.run({ jobId, fence: (await Read.get(world, ADA, jobId)).fence ?? 0 }, index);
      expect(soFar((await Read.get(world, ADA, jobId)).cost, world.clock.now())).toBe(1);
    }
    expect(soFar((await Read.get(world, ADA, array.id)).cost, world.clock.now())).toBe(2);
    expect((await costs(world, ADA, { by: "job" })).items).toEqual([{ id: array.id, cost: 2 }]);
    expect((await costs(world, ADA, { by: "label" })).items).toEqual([{ id: "team=vision", cost: 2 }]);
  });
});
