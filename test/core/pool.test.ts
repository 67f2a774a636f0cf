/** Pools through the real verbs, on SQLite in memory, with a clock that the test sets and machines that do what they are told. */

import { change as changeBudget } from "@muster/core/budget/change.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create } from "@muster/core/launch/create.ts";
import { list } from "@muster/core/pool/read.ts";
import { remove } from "@muster/core/pool/remove.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { set } from "@muster/core/pool/set.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { create as createToken } from "@muster/core/token/create.ts";
import { describe, expect, test } from "vitest";
import { code, jobRequest, MINUTE, passing } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, testWorld } from "../support/world.ts";
import { ADMIN, amiss, clusters, details, launch, living, pooled, request, serve, states } from "./pool-support.ts";

const HOUR = 60 * MINUTE;

describe("its members", () => {
  test("are made, prepared and stopped, and cost nothing then", async () => {
    const world = testWorld();
    await pooled(world);
    expect(await states(world)).toEqual(["booting", "booting"]);
    await serve(world);
    expect(await states(world)).toEqual(["stopped", "stopped"]);
    const pool = await details(world);
    expect(pool).toMatchObject({ ready: 2, making: 0, made: 2, failures: 0, hourly: 0 });
    expect(pool.members.map(({ prepared, running }) => [prepared, running])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(world.provider.intents.flatMap(intent => intent.hosts)).toHaveLength(2);
  });

  test("run where the pool keeps them so, and say what that costs", async () => {
    const world = testWorld();
    await pooled(world, { keep: "running" });
    await serve(world);
    expect(await states(world)).toEqual(["ready", "ready"]);
    expect((await details(world)).hourly).toBeCloseTo(0.2);
    await passing(world, 180, () => serve(world));
    expect(await states(world)).toEqual(["ready", "ready"]);
  });

  test("need nothing to be done to them", async () => {
    const world = testWorld();
    await pooled(world, {}, {});
    await serve(world);
    expect([await states(world), (await details(world)).ready]).toEqual([["stopped", "stopped"], 2]);
  });

  test("are found by the sweep when every ring was lost", async () => {
    const world = testWorld();
    await set(world, ADA, "warm", request());
    await createToken(world, ADMIN, { actor: "usr_ada", role: "member" });
    await ringAll(world, 0);
    await sweepDue(world);
    expect(await living(world)).toHaveLength(2);
  });

  test("are nobody's to use", async () => {
    const world = testWorld();
    await pooled(world, { keep: "running" });
    await serve(world);
    const [{ id = "", name = "" } = {}] = await living(world);
    for (const act of [
      () => submit(world, ADA, id, jobRequest()),
      () => create(world, ADA, launch({ cluster: name })),
      () => Change.stop(world, ADA, id),
      () => Change.start(world, ADA, id),
      () => Change.autostop(world, ADA, id, "never"),
    ])
      expect(await code(act())).toBe("conflict");
  });

  test("are replaced when somebody removes one, and that is no failure", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const [{ id = "" } = {}] = await living(world);
    await Change.remove(world, ADA, id);
    await serve(world);
    expect((await living(world)).map(one => [one.id === id, one.state])).toEqual([
      [false, "stopped"],
      [false, "stopped"],
    ]);
    expect(await details(world)).toMatchObject({ failures: 0, made: 3 });
  });

  test("are others when the pool is something else", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const before = (await living(world)).map(({ id }) => id);
    await set(world, ADA, "warm", request({ size: 3 }));
    await serve(world);
    expect((await living(world)).filter(({ id }) => before.includes(id))).toHaveLength(2);
    await set(world, ADA, "warm", request({ size: 3 }, { setup: "make other" }));
    await serve(world);
    expect(await states(world)).toEqual(["stopped", "stopped", "stopped"]);
    expect((await living(world)).filter(({ id }) => before.includes(id))).toEqual([]);
  });

  test("run when the pool keeps them running from now on, and the other way round", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    await set(world, ADA, "warm", request({ keep: "running" }));
    await serve(world);
    expect(await states(world)).toEqual(["ready", "ready"]);
    await set(world, ADA, "warm", request());
    await serve(world);
    expect(await states(world)).toEqual(["stopped", "stopped"]);
    expect((await details(world)).made).toBe(2);
  });
});

describe("its size", () => {
  test("grows and shrinks by hand; what nobody can use yet goes first", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    await serve(world);
    const [{ id = "" } = {}] = await living(world);
    await resize(world, ADA, "warm", { size: 3 });
    await ringAll(world);
    expect(await states(world)).toEqual(["stopped", "booting", "booting"]);
    await resize(world, ADA, "warm", { size: 1 });
    await ringAll(world);
    expect((await living(world)).map(one => one.id)).toEqual([id]);
    await resize(world, ADA, "warm", { size: 0 });
    await ringAll(world);
    expect([await living(world), world.provider.machines.size]).toEqual([[], 0]);
  });

  test("changes by its times; of those that nobody was there for the last stands", async () => {
    const world = testWorld();
    const sizes = [
      { cron: "0 8 * * *", timeZone: "UTC", size: 3 },
      { cron: "0 18 * * *", timeZone: "UTC", size: 0 },
    ];
    const info = await pooled(world, { size: 1, sizes });
    expect(info.nextAt).toBe(world.clock.now() + 8 * HOUR);
    await serve(world);
    expect(await details(world)).toMatchObject({ size: 1, nextSize: 3 });
    world.clock.pass(8 * HOUR);
    await sweepDue(world);
    await serve(world);
    expect(await states(world)).toEqual(["stopped", "stopped", "stopped"]);
    expect(await details(world)).toMatchObject({ size: 3, nextSize: 0 });
    await resize(world, ADA, "warm", { size: 2 });
    await serve(world);
    expect(await states(world)).toHaveLength(2);
    // Three days, and ten hours of the fourth: eight o'clock was last.
    world.clock.pass(74 * HOUR);
    await sweepDue(world);
    expect(await details(world)).toMatchObject({ size: 3, nextSize: 0 });
    expect((await details(world)).nextAt).toBe(world.clock.now() + 8 * HOUR);
  });

  test("is never exceeded, however many look after it at once", async () => {
    const world = testWorld();
    await pooled(world, { size: 0 });
    await resize(world, ADA, "warm", { size: 3 });
    await Promise.allSettled(Array.from({ length: 5 }, () => sweepDue(world)));
    await ringAll(world, 3);
    expect(world.provider.intents).toHaveLength(3);
    expect(await amiss(world, 3)).toEqual([]);
  });
});

describe("a setup that is broken", () => {
  test("makes no machines in a loop, and is told", async () => {
    const world = testWorld();
    await pooled(world, { size: 2 });
    for (let minute = 0; minute < 240; minute++) {
      await serve(world, 1);
      world.clock.pass(MINUTE);
      await sweepDue(world);
    }
    // Two at first; then one each after the second, third … pause: 5, 15, 30, 60, 60, 60 minutes.
    expect(world.provider.intents.length).toBeLessThanOrEqual(8);
    const pool = await details(world);
    expect(pool.failures).toBeGreaterThan(4);
    expect(pool.setback?.message).toMatch(/^job job_\w+, which prepares it, has failed/);
    expect((pool.retryAt ?? 0) - (pool.setback?.at ?? 0)).toBe(HOUR);
    expect(await amiss(world, 2)).toEqual([]);
    // Mended: set anew, it is tried at once.
    await set(world, ADA, "warm", request({}, { setup: "make better" }));
    await serve(world);
    expect(await details(world)).toMatchObject({ ready: 2, failures: 0 });
  });

  test("machines that do not call are given up and replaced", async () => {
    const world = testWorld();
    await pooled(world, { size: 1 });
    await passing(world, 30);
    expect((await details(world)).failures).toBeGreaterThan(0);
    expect(await amiss(world, 1)).toEqual([]);
    expect((await clusters(world)).length).toBeLessThan(6);
  });
});

describe("what it may not have", () => {
  test("money: it says so, and tries again", async () => {
    const world = testWorld();
    await changeBudget(world, ADMIN, { hourly: 0.1 });
    await pooled(world, { keep: "running" });
    await serve(world);
    expect(await states(world)).toEqual(["ready"]);
    expect(await details(world)).toMatchObject({ setback: { code: "over_budget" } });
    await changeBudget(world, ADMIN, { hourly: 1 });
    await passing(world, 70, () => serve(world));
    expect(await states(world)).toEqual(["ready", "ready"]);
    expect(await details(world)).toMatchObject({ failures: 0 });
  });

  test("an owner who may launch nothing", async () => {
    const world = testWorld();
    await set(world, ADA, "warm", request());
    await ringAll(world);
    expect([await living(world), (await details(world)).setback?.code]).toEqual([[], "forbidden"]);
  });
});

describe("its removal", () => {
  test("takes its members along, and leaves what was taken", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    const taken = await create(world, ADA, launch({ pool: "warm", cluster: "mine" }));
    await ringAll(world);
    expect(await remove(world, ADA, "warm")).toMatchObject({ leaving: true });
    expect(await remove(world, ADA, "warm")).toMatchObject({ leaving: true });
    expect(await code(set(world, ADA, "warm", request()))).toBe("conflict");
    expect(await code(create(world, ADA, launch({ pool: "warm" })))).toBe("conflict");
    await ringAll(world);
    expect((await living(world)).map(({ id }) => id)).toEqual([taken.cluster.id]);
    expect(world.provider.machines.size).toBe(1);
    expect(await code(details(world))).toBe("not_found");
    expect((await list(world, ADA, { limit: 10 })).items).toEqual([]);
    expect(await set(world, ADA, "warm", request())).toMatchObject({ size: 2, made: 0 });
  });

  test("waits for machines that do not end, and gives none of them up", async () => {
    const world = testWorld();
    await pooled(world);
    await serve(world);
    world.provider.obeys = false;
    await remove(world, ADA, "warm");
    await ringAll(world);
    expect((await clusters(world)).map(({ state }) => state)).toEqual(["draining", "draining"]);
    await passing(world, 60);
    world.provider.obeys = true;
    await passing(world, 2);
    expect([world.provider.machines.size, (await clusters(world)).every(Cluster.isOver)]).toEqual([0, true]);
  });
});
