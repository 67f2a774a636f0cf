/** Ran against: the sweeps and timers of the embedded control plane, on a clock of vitest's. */
import * as Keys from "@muster/core/keys.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { Sweeps } from "@muster/local/run/sweeps.ts";
import { timers } from "@muster/local/run/timers.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { timedBlobs } from "../support/logged.ts";
import { testWorld } from "../support/world.ts";

const DAY = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function sweeps() {
  const failures: unknown[] = [];
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const endless = (name: string) => () => {
    begun.push(name);
    return new Promise<void>(resolve => void ends.push(resolve));
  };
  return { all: new Sweeps(error => void failures.push(error)), failures, begun, ends, endless };
}

test("sweeps take turns, in the order they were asked for, and one that fails lets the next one in", async () => {
  const { all, failures, begun, ends, endless } = sweeps();
  all.run(async () => Promise.reject(new Error("no")));
  all.run(endless("a"));
  all.run(endless("b"));
  await vi.advanceTimersByTimeAsync(100);
  expect([begun, failures.map(String)]).toEqual([["a"], ["Error: no"]]);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b"]);
  ends.shift()?.();
  await all.close();
});

test("a long sweep holds up the next for a moment only, and three run at once at most", async () => {
  const { all, begun, ends, endless } = sweeps();
  for (const name of ["a", "b", "c", "d"]) all.run(endless(name));
  const seen: string[] = [];
  for (const passed of [1_900, 200, 1_700, 400, 60_000]) {
    await vi.advanceTimersByTimeAsync(passed);
    seen.push(begun.join(""));
  }
  expect(seen).toEqual(["a", "ab", "ab", "abc", "abc"]);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b", "c", "d"]);
  for (const end of ends) end();
  await all.close();
});

test("a sweep that waits already is not asked for twice", async () => {
  const { all, begun, ends, endless } = sweeps();
  const second = endless("b");
  all.run(endless("a"));
  for (let n = 0; n < 10; n++) all.run(second);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b"]);
});

test("what is closed begins nothing more, and waits for what it has begun", async () => {
  const { all, begun, ends, endless } = sweeps();
  all.run(endless("a"));
  all.run(endless("b"));
  let closed = false;
  const closing = all.close().then(() => {
    closed = true;
  });
  all.run(endless("c"));
  await vi.advanceTimersByTimeAsync(10_000);
  expect([begun, closed]).toEqual([["a"], false]);
  ends.shift()?.();
  await closing;
  expect([begun, vi.getTimerCount()]).toEqual([["a"], 0]);
});

test("nothing that is written after the end sets a timer", async () => {
  const world = { clock: { now: Date.now } } as World;
  const due = timers(() => world, 1);
  const change = (wait: number): Change => {
    const at = { pk: Keys.duePartition(0), sk: `${Keys.dueSort(Date.now() + wait)}#x` };
    return { item: { pk: "a", sk: "a", indexes: { due: at } } } as unknown as Change;
  };
  due.note([change(5_000)]);
  expect(vi.getTimerCount()).toBe(5);
  await due.close();
  due.note([change(6_000)]);
  expect(vi.getTimerCount()).toBe(0);
});

test("logs that have outlived their days go when it starts", async () => {
  const world = testWorld();
  const { blobs } = timedBlobs(world.clock.now);
  const due = timers(() => ({ ...world, blobs }), 2);
  await blobs.put("logs/acme/job_a/1", new Uint8Array());
  world.clock.pass(3 * DAY);
  await blobs.put("logs/acme/job_b/1", new Uint8Array());
  const left = async () => (await blobs.list("logs/")).map(head => head.key);
  due.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await left()).toEqual(["logs/acme/job_b/1"]);
  await due.close();
});
