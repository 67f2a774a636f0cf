/**
 * Laws of reports, over many orders of events: what the forge was told last is what came last, nothing older comes behind
 * something newer, and whoever is stopped anywhere does no harm. Core on SQLite in memory; the forge is a function that
 * answers, refuses or goes silent, at times that a seed decides.
 */
import { MusterError } from "@muster/core/error.ts";
import type { Outbound } from "@muster/core/ports/outbound.ts";
import { openFailed } from "@muster/core/report/open.ts";
import * as Report from "@muster/core/report/report.ts";
import { LEASE, send } from "@muster/core/report/send.ts";
import { expect, test } from "vitest";
import type { TestWorld } from "../../support/world.ts";
import { about, reporting } from "./support.ts";

const API = "https://api.github.com";
const ID = { workspace: "acme", id: "" };

function prng(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
}

interface Forge {
  readonly outbound: Outbound;
  /** What it was told, in order. */
  readonly told: string[];
}

/** It takes some turns to hear, and some to answer; now and then only one of them happens, or none. */
function forge(random: () => number): Forge {
  const told: string[] = [];
  const turns = async (): Promise<void> => {
    for (let left = Math.floor(random() * 12); left > 0; left--) await Promise.resolve();
  };
  return {
    told,
    outbound: {
      check: () => undefined,
      send: async ({ body = "{}" }) => {
        await turns();
        const chance = random();
        if (chance < 0.1) throw new MusterError("unavailable", "nobody answers");
        told.push(String(JSON.parse(body).description));
        await turns();
        if (chance < 0.2) throw new MusterError("unavailable", "the answer was lost");
        if (chance < 0.3) return { status: 502, headers: {}, body: "" };
        return { status: 201, headers: {}, body: "{}" };
      },
    },
  };
}

const versionOf = (line: string): number => Number(/version (\d+)/.exec(line)?.[1]);

/** A world of which every so often somebody is stopped: their next write never comes. */
function mortal(world: TestWorld, random: () => number): TestWorld {
  const dies = random() < 0.2;
  const writes = { left: dies ? 1 : Number.POSITIVE_INFINITY };
  const write: TestWorld["table"]["write"] = all =>
    writes.left-- > 0 ? world.table.write(all) : Promise.reject(new Error("stopped"));
  return { ...world, table: { ...world.table, write } };
}

async function run(seed: number): Promise<{ told: string[]; newest: number; stopped: number }> {
  const random = prng(seed);
  const { outbound, told } = forge(random);
  const world: TestWorld = { ...(await reporting({ TOKEN: "ghp_x" })), outbound };
  const running: Promise<unknown>[] = [];
  const stopped = { count: 0 };
  const newest = 3 + Math.floor(random() * 4);
  const id = Report.idOf(world.digest, { ...about(API), channel: "status" });
  const start = () =>
    running.push(
      send(mortal(world, random), { ...ID, id }).catch(error => {
        expect(String(error)).toContain("stopped");
        stopped.count++;
      }),
    );
  for (let version = 1; version <= newest; version++) {
    await openFailed(world, about(API, { at: version }), `version ${version}`);
    // One that came before it may be late.
    if (random() < 0.3) await openFailed(world, about(API, { at: version - 1 }), `version ${version - 1}`);
    for (let senders = Math.floor(random() * 4); senders > 0; senders--) start();
    if (random() < 0.5) await Promise.all(running.splice(0));
    if (random() < 0.3) {
      await Promise.all(running.splice(0));
      world.clock.pass(Math.floor(random() * 2 * LEASE));
    }
  }
  await Promise.all(running.splice(0));
  // What the sweep does, when everything is well again.
  for (let minute = 0; minute < 200; minute++) {
    const report = await Report.find(world.table, "acme", id);
    if (report?.dueAt === undefined) return { told, newest, stopped: stopped.count };
    world.clock.pass(60_000);
    await send(world, { ...ID, id });
  }
  throw new Error("it never comes to an end");
}

test("300 orders of events: the newest is told last, and nothing older behind something newer", async () => {
  let stopped = 0;
  let repeated = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const outcome = await run(seed);
    const versions = outcome.told.map(versionOf);
    expect(versions.at(-1), `seed ${seed}`).toBe(outcome.newest);
    expect(versions, `seed ${seed}`).toEqual([...versions].sort((a, b) => a - b));
    stopped += outcome.stopped;
    repeated += versions.length - new Set(versions).size;
  }
  // It has been put to the test.
  expect(stopped).toBeGreaterThan(50);
  expect(repeated).toBeGreaterThan(50);
});

test("what has come to nothing new is told once, however many tell it at once", async () => {
  const { outbound, told } = forge(() => 0.99);
  const world: TestWorld = { ...(await reporting({ TOKEN: "ghp_x" })), outbound };
  await openFailed(world, about(API), "version 1");
  const id = Report.idOf(world.digest, { ...about(API), channel: "status" });
  await Promise.all(Array.from({ length: 16 }, () => send(world, { ...ID, id })));
  await openFailed(world, about(API), "version 1");
  await send(world, { ...ID, id });
  expect(told).toEqual(["could not start: version 1"]);
});

test("whoever hears of the forge when their lease has run out writes nothing over what was told since", async () => {
  const answers: (() => void)[] = [];
  const outbound: Outbound = {
    check: () => undefined,
    send: () => new Promise(resolve => answers.push(() => resolve({ status: 201, headers: {}, body: "{}" }))),
  };
  const world: TestWorld = { ...(await reporting({ TOKEN: "ghp_x" })), outbound };
  await openFailed(world, about(API), "version 1");
  const ref = { ...ID, id: Report.idOf(world.digest, { ...about(API), channel: "status" }) };
  const called = async (count: number) => {
    while (answers.length < count) await new Promise(setImmediate);
  };
  const slow = send(world, ref);
  await called(1);
  world.clock.pass(LEASE);
  await openFailed(world, about(API, { at: 2000 }), "version 2");
  const next = send(world, ref);
  await called(2);
  answers[0]?.();
  await slow;
  expect((await Report.find(world.table, "acme", ref.id))?.told).toBeUndefined();
  answers[1]?.();
  await next;
  expect(await Report.find(world.table, "acme", ref.id)).toMatchObject({ told: { at: world.clock.now() } });
});
