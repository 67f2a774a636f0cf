/** Machines that will not end: core on SQLite in memory, in virtual time, with a provider that refuses a thousand times. */
import * as Change from "@muster/core/cluster/change.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Alarming, Log } from "@muster/core/ports/ports.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { expect, test } from "vitest";
import { type Counts, counted } from "../support/counted.ts";
import { MINUTE, readyCluster, stateOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const FAILURES = 1_000;
const LONGEST_PAUSE = 5 * MINUTE;

/** What AWS says when it does not do it, as its adapter passes it on. */
const refusals = [
  new MusterError("busy", "TerminateInstances: RequestLimitExceeded"),
  new MusterError("unavailable", "TerminateInstances: UnauthorizedOperation"),
  new MusterError("unavailable", "TerminateInstances: InternalError (500)"),
];

/** A cluster that was told to end, whose provider refuses that so many times. */
async function stubborn(failures: number) {
  const made = testWorld();
  const counts: Counts = { reads: 0, items: 0, writes: 0 };
  const alarms: { name: Alarming; at: number }[] = [];
  const said: { message: string; at: number }[] = [];
  const log: Log = {
    info: () => undefined,
    error: message => void said.push({ message, at: made.clock.now() }),
    count: name => void alarms.push({ name, at: made.clock.now() }),
  };
  const world: TestWorld = { ...made, table: counted(made.table, counts), log };
  const { id } = await readyCluster(world);
  const asked: number[] = [];
  const { terminate } = world.provider;
  world.provider.terminate = async ids => {
    asked.push(world.clock.now());
    if (asked.length > failures) return terminate(ids);
    throw refusals[asked.length % refusals.length];
  };
  const since = world.clock.now();
  await Change.remove(world, ADA, id);
  const sweep = async () => {
    world.clock.pass(MINUTE);
    await sweepDue(world);
  };
  return { world, id, asked, alarms, said, counts, since, sweep };
}

test(`what refuses to end ${FAILURES} times is not called ended, and is asked again within five minutes each time`, async () => {
  const { world, id, asked, alarms, since, sweep } = await stubborn(FAILURES);
  while (asked.length <= FAILURES) {
    expect(await stateOf(world, id)).toBe("draining");
    expect(world.provider.machines.size).toBe(1);
    await sweep();
    // Nobody waits for what is never asked for.
    expect(world.clock.now() - (asked.at(-1) ?? since)).toBeLessThanOrEqual(LONGEST_PAUSE);
  }
  // Whoever said so had seen that none is left.
  expect([world.provider.machines.size, await stateOf(world, id)]).toEqual([0, "terminated"]);
  expect(alarms.length).toBeGreaterThan(FAILURES / 10);
});

test("after three sweeps in vain somebody is told, each time again, and nobody before", async () => {
  const { alarms, said, since, sweep } = await stubborn(FAILURES);
  for (let n = 0; n < 10; n++) await sweep();
  const minutes = alarms.map(({ name, at }) => [name, (at - since) / MINUTE] as const);
  expect(minutes[0]).toEqual(["DrainingTooLong", 4]);
  expect(new Set(minutes.map(([, minute]) => minute))).toEqual(new Set([4, 5, 6, 7, 8, 9, 10]));
  expect(said.filter(({ message }) => message === "a cluster's machines do not end")).toHaveLength(alarms.length);
});

test("one refusal is nobody's business", async () => {
  const { world, id, alarms, sweep } = await stubborn(1);
  for (let n = 0; n < 4; n++) await sweep();
  expect(await stateOf(world, id)).toBe("terminated");
  expect(alarms).toEqual([]);
});

test("while nothing comes of it, nothing is written", async () => {
  const { counts, sweep } = await stubborn(FAILURES);
  await sweep();
  await sweep();
  counts.writes = 0;
  for (let n = 0; n < 60; n++) await sweep();
  expect(counts.writes).toBe(0);
});
