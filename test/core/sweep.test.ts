/** The sweep of what nobody owns, and the same when somebody asks for it: core on SQLite in memory, in virtual time. */
import * as Change from "@muster/core/cluster/change.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { answer, answerDue, type Ring, ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import type { Alarming } from "@muster/core/ports/ports.ts";
import type { Machine } from "@muster/core/ports/provider.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { judge } from "@muster/core/sweep/judge.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { ask, get, MOST_ITEMS } from "@muster/core/sweep/request.ts";
import { run } from "@muster/core/sweep/run.ts";
import { describe, expect, test } from "vitest";
import { type Counts, counted } from "../support/counted.ts";
import { code, MINUTE, readyCluster, ref, stoppedCluster } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ROOT = { ...ADA, role: "admin" } as const;
const GONE = Id.create({ ulid: () => "01J00000000000000000000000" }, "cluster");

/** A machine that nobody asked for. */
const stray = (machineId: string, more: Partial<Machine> = {}): Machine => ({
  machineId,
  state: "running",
  workspace: "acme",
  clusterId: GONE,
  generation: 1,
  try: 1,
  hostId: `hst_${GONE.slice(4)}_0`,
  launchedAt: Date.UTC(2025, 11, 31),
  instanceType: "small",
  market: "on_demand",
  ...more,
});

function put(world: TestWorld, ...machines: readonly Machine[]): void {
  for (const machine of machines) world.provider.machines.set(machine.machineId, machine);
}

const there = (world: TestWorld) => [...world.provider.machines.keys()].sort();

/** A world, what it counts, and everything that it writes. */
function watched() {
  const made = testWorld();
  const alarms: (readonly [Alarming, number])[] = [];
  const counts: Counts = { reads: 0, items: 0, writes: 0 };
  const log = { ...made.log, count: (name: Alarming, value: number) => void alarms.push([name, value]) };
  const world: TestWorld = { ...made, table: counted(made.table, counts), log };
  return { world, alarms, counts };
}

describe("machines", () => {
  test("that no record owns end: their cluster is unknown, or over, or has others now; those of others stay", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world);
    const own = there(world);
    const mine = { clusterId: id };
    put(world, stray("unknown"), stray("older", { ...mine, generation: 0 }), stray("other-try", { ...mine, try: 7 }));
    expect((await sweepOrphans(world)).sort()).toEqual(["older", "other-try", "unknown"]);
    expect(there(world)).toEqual(own);
  });

  test("that turn up when their cluster has long ended are ended too: the record stays and says so", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world);
    await Change.remove(world, ADA, id);
    await reconcile(world, ref(id));
    expect(there(world)).toEqual([]);
    world.clock.pass(30 * 24 * 60 * MINUTE);
    put(world, stray("late", { clusterId: id }));
    expect(await sweepOrphans(world)).toEqual(["late"]);
    expect(there(world)).toEqual([]);
  });

  test("of a launch that nobody remembers the answer of are its cluster's own", async () => {
    const world = testWorld();
    world.provider.loseAnswer = new MusterError("unavailable", "nobody knows");
    await readyCluster(world).catch(() => undefined);
    const made = there(world);
    expect(made).toHaveLength(1);
    expect(await sweepOrphans(world)).toEqual([]);
    expect(there(world)).toEqual(made);
  });

  test("that a person holds are kept and told of, each time; whatever else has no owner is not", async () => {
    const { world, alarms } = watched();
    put(world, stray("held", { isHeld: true }), stray("not-held"));
    expect(await sweepOrphans(world)).toEqual(["not-held"]);
    expect(await sweepOrphans(world)).toEqual([]);
    expect(there(world)).toEqual(["held"]);
    expect(alarms).toEqual([
      ["OrphansFound", 1],
      ["OrphansHeld", 1],
      ["OrphansHeld", 1],
    ]);
  });

  test("of a living cluster follow it, held or not: it stops and ends them", async () => {
    const world = testWorld();
    const { id } = await stoppedCluster(world);
    for (const one of world.provider.machines.values()) put(world, { ...one, isHeld: true, state: "running" });
    await sweepOrphans(world);
    expect([...world.provider.machines.values()].map(({ state }) => state)).toEqual(["stopped"]);
    await Change.remove(world, ADA, id);
    await reconcile(world, ref(id));
    expect(there(world)).toEqual([]);
  });

  test("nothing is written while there is nothing to do", async () => {
    const { world, counts } = watched();
    await readyCluster(world);
    await sweepOrphans(world);
    counts.writes = 0;
    for (const _ of [1, 2, 3]) await sweepOrphans(world);
    expect(counts.writes).toBe(0);
  });

  test("the decision is pure: the same machines, judged by what is known of their cluster", () => {
    const held = { isHeld: true };
    const found = judge("fake", undefined, [stray("one"), stray("two", held)]);
    expect(found.map(({ id, act, why }) => [id, act, why])).toEqual([
      ["one", "terminate", "there is no record of its cluster"],
      ["two", "keep", "there is no record of its cluster; held by its tag"],
    ]);
  });
});

/** Asks, and lets whatever that rings be answered. */
async function gc(world: TestWorld, dryRun: boolean) {
  const { id } = await ask(world, ROOT, { dryRun });
  await ring(world);
  return get(world, ROOT, id);
}

async function ring(world: TestWorld): Promise<void> {
  const rings = world.changes.splice(0).flatMap(change => ringFor(change) ?? []);
  for (const one of rings.filter((asked: Ring) => asked.do === "sweep")) await answer(world, one);
}

describe("a sweep that is asked for", () => {
  test("tells what it would do, and does nothing; and then does just that", async () => {
    const world = testWorld();
    const { id } = await stoppedCluster(world);
    const [own] = [...world.provider.machines.values()];
    put(world, { ...own!, state: "running" }, stray("spot", { market: "spot" }), stray("held", { isHeld: true }));
    const before = JSON.stringify([...world.provider.machines]);
    const dry = await gc(world, true);
    expect(JSON.stringify([...world.provider.machines])).toBe(before);
    expect(dry).toMatchObject({ state: "done", dryRun: true, by: ADA.id, total: 3, problems: [] });
    const real = await gc(world, false);
    const acts = (info: typeof dry) => info.items.map(one => [one.id, one.act, one.outcome]).sort();
    expect(acts(dry)).toEqual([
      [own?.machineId, "stop", "found"],
      ["held", "keep", "found"],
      ["spot", "terminate", "found"],
    ]);
    expect(acts(real)).toEqual([
      [own?.machineId, "stop", "done"],
      ["held", "keep", "found"],
      ["spot", "terminate", "done"],
    ]);
    expect(there(world)).toEqual([own?.machineId, "held"].sort());
    expect(world.provider.machines.get(own?.machineId ?? "")?.state).toBe("stopped");
    const told = dry.items.find(one => one.id === "held");
    expect(told).toEqual({
      ...{ provider: "fake", kind: "machine", id: "held", clusterId: GONE, since: Date.UTC(2025, 11, 31) },
      ...{ instanceType: "small", hourly: 0.1, act: "keep", outcome: "found" },
      why: "there is no record of its cluster; held by its tag",
    });
    // Of a spot machine nobody knows the price here.
    expect(dry.items.find(one => one.id === "spot")).not.toHaveProperty("hourly");
    expect(dry.items.find(one => one.act === "stop")).toMatchObject({ clusterId: id });
  });

  test("sees and ends nothing of another workspace, and nobody there can read it", async () => {
    const world = testWorld();
    put(world, stray("ours"), stray("theirs", { workspace: EVE.workspace }));
    const { items, id } = await gc(world, false);
    expect(items.map(one => one.id)).toEqual(["ours"]);
    expect(there(world)).toEqual(["theirs"]);
    expect(await code(get(world, EVE, id))).toBe("not_found");
  });

  test("may run twice, and late: the first to end has it", async () => {
    const world = testWorld();
    put(world, stray("one"));
    const { id } = await ask(world, ROOT, { dryRun: false });
    await Promise.all([run(world, { workspace: "acme", id }), run(world, { workspace: "acme", id })]);
    const done = await get(world, ROOT, id);
    expect(done).toMatchObject({ state: "done", total: 1 });
    world.clock.pass(MINUTE);
    put(world, stray("two"));
    await run(world, { workspace: "acme", id });
    expect(await get(world, ROOT, id)).toEqual(done);
    expect(there(world)).toEqual(["two"]);
  });

  test("is found by its deadline when nobody heard it ring, and by that only once", async () => {
    const world = testWorld();
    const { id } = await ask(world, ROOT, { dryRun: true });
    world.clock.pass(MINUTE);
    await sweepDue(world);
    expect(await get(world, ROOT, id)).toMatchObject({ state: "done", total: 0 });
    world.clock.pass(MINUTE);
    expect(await sweepDue(world)).toBe(0);
  });

  test("that could not be done for a quarter of an hour is over, and does nothing any more", async () => {
    const world = testWorld();
    put(world, stray("one"));
    const { id } = await ask(world, ROOT, { dryRun: false });
    world.clock.pass(16 * MINUTE);
    await answerDue(world, { type: "sweep", data: { workspace: "acme", id } });
    const { state, problems } = await get(world, ROOT, id);
    expect([state, problems]).toEqual(["done", ["it could not be done in time: see the log of the control plane"]]);
    expect(there(world)).toEqual(["one"]);
  });

  test("says what could not be looked at, or done, in words that are the system's own", async () => {
    const world = testWorld();
    put(world, stray("good"), stray("bad"));
    world.provider.terminate = async ids => {
      if (ids.includes("bad")) throw new MusterError("unavailable", "machines are protected from termination: bad");
      for (const id of ids) world.provider.machines.delete(id);
    };
    const { items, problems } = await gc(world, false);
    expect(items.map(one => [one.id, one.outcome]).sort()).toEqual([
      ["bad", "failed"],
      ["good", "done"],
    ]);
    const refused = "machines without an owner could not be terminated: machines are protected from termination: bad";
    expect(problems).toEqual([refused]);
    world.provider.sweep = async () => {
      throw new Error("secret-of-the-wire");
    };
    const blind = await gc(world, true);
    expect(blind).toMatchObject({
      items: [],
      problems: ["a provider could not be swept: see the log of the control plane"],
    });
  });

  test("is bounded in size, and says how many there are", async () => {
    const world = testWorld();
    put(world, ...Array.from({ length: MOST_ITEMS + 20 }, (_, n) => stray(`i-${String(n).padStart(17, "0")}`)));
    const { items, total } = await gc(world, true);
    expect([items.length, total]).toEqual([MOST_ITEMS, MOST_ITEMS + 20]);
    const [item] = world.changes.flatMap(change =>
      "item" in change && change.item.type === "sweep" ? [change.item] : [],
    );
    expect(JSON.stringify(item).length).toBeLessThan(40_000);
  });

  test("is forgotten after a day", async () => {
    const world = testWorld();
    const { id } = await gc(world, true);
    world.clock.pass(24 * 60 * MINUTE + 1);
    expect(await code(get(world, ROOT, id))).toBe("not_found");
  });
});
