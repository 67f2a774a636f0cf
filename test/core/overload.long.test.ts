/**
 * A provider that answers nothing for ten minutes, under a hundred clusters: core on SQLite in memory, in virtual time, driven
 * as state machines and the sweep drive it, with a provider of ours that counts what it is asked. What is normal is counted
 * beside it: the same clusters, and a provider that answers, but takes as long to do what it is told.
 */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { MusterError } from "@muster/core/error.ts";
import { definitions } from "@muster/core/machine/definitions.ts";
import { step } from "@muster/core/machine/step.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { expect, test } from "vitest";
import { type Counts, counted } from "../support/counted.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, MINUTE, ref, stateOf } from "../support/requests.ts";
import { ADA, type FakeProvider, type TestWorld, testWorld } from "../support/world.ts";

const CLUSTERS = 100;
const OUTAGE = 10 * MINUTE;
const TICK = definitions["cluster-up"].States.Pause.Seconds * 1_000;

/** What a provider was asked, and whether it is away. */
interface Meter {
  calls: number;
  away: (() => Error) | undefined;
}

/** Launches are rationed as EC2's are. */
function metered(provider: FakeProvider): Meter {
  const meter: Meter = { calls: 0, away: undefined };
  const through =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      meter.calls++;
      if (meter.away) throw meter.away();
      return call(...args);
    };
  Object.assign(provider, {
    capabilities: { ...provider.capabilities, boot: 60 * MINUTE, launches: { burst: 5, perSecond: 2 } },
    launch: through(provider.launch.bind(provider)),
    observe: through(provider.observe),
    terminate: through(provider.terminate),
  });
  return meter;
}

interface Stage {
  readonly world: TestWorld;
  readonly meter: Meter;
  readonly counts: Counts;
  readonly ids: string[];
  /** Clusters that a state machine drives. */
  readonly driven: Set<string>;
}

async function hundred(): Promise<Stage> {
  const made = testWorld();
  const counts: Counts = { reads: 0, items: 0, writes: 0 };
  const world: TestWorld = { ...made, table: counted(made.table, counts) };
  const ids: string[] = [];
  for (let n = 0; n < CLUSTERS; n++)
    ids.push((await Create.create(world, ADA, clusterRequest({ name: `c-${n}`, idle: "never" }))).id);
  return { world, meter: metered(made.provider), counts, ids, driven: new Set(ids) };
}

/** Lets time pass: a step of each state machine in its turn, and the sweep each minute. @returns how long, in ms */
async function pass(stage: Stage, ms: number, until = async () => false): Promise<number> {
  const { world, driven } = stage;
  for (let passed = 0; passed < ms; passed += TICK) {
    if (await until()) return passed;
    world.clock.pass(TICK);
    for (const id of driven) {
      const { next } = await step(world, ref(id)).catch(() => ({ next: "wait" }));
      if (next === "done") driven.delete(id);
    }
    if ((passed + TICK) % MINUTE === 0) await sweepDue(world);
  }
  return ms;
}

const areAll =
  ({ world, ids }: Stage, state: string) =>
  async () => {
    for (const id of ids) if ((await stateOf(world, id)) !== state) return false;
    return true;
  };

/** Machines that were made call home. */
async function callHome(stage: Stage): Promise<void> {
  for (const intent of stage.world.provider.intents.splice(0)) await enrollAll(stage.world, undefined, intent);
}

async function ready(): Promise<Stage> {
  const stage = await hundred();
  await pass(stage, 10 * MINUTE, areAll(stage, "booting"));
  await callHome(stage);
  await pass(stage, MINUTE, areAll(stage, "ready"));
  return stage;
}

/** All are told to end. */
async function ending(): Promise<Stage> {
  const stage = await ready();
  for (const id of stage.ids) {
    await Change.remove(stage.world, ADA, id);
    stage.driven.add(id);
  }
  return stage;
}

/** Calls and writes of ten minutes. */
async function during(stage: Stage): Promise<{ calls: number; writes: number }> {
  const { meter, counts } = stage;
  meter.calls = 0;
  counts.writes = 0;
  await pass(stage, OUTAGE);
  return { calls: meter.calls, writes: counts.writes };
}

const noAnswer = () => new MusterError("unavailable", "the cloud did not answer");
const throttled = () => new MusterError("busy", "Request limit exceeded");
const ways = [
  ["does not answer", noAnswer],
  ["throttles", throttled],
] as const;
const MOST_CALLS = 1.1;
/** Of each cluster, in each look: of those there are a state machine's, and the sweep's. */
const MOST_WRITES = 2 * CLUSTERS * (OUTAGE / TICK + OUTAGE / MINUTE);

test.each(ways)("clusters that end, and a provider that %s", { timeout: 60_000 }, async (_, away) => {
  const slow = await ending();
  slow.world.provider.obeys = false;
  const normal = await during(slow);
  const stage = await ending();
  stage.meter.away = away;
  const { calls, writes } = await during(stage);
  expect(await areAll(stage, "draining")()).toBe(true);
  expect(calls).toBeGreaterThan(CLUSTERS);
  expect(calls).toBeLessThanOrEqual(MOST_CALLS * normal.calls);
  expect(writes).toBe(0);
  stage.meter.away = undefined;
  expect(await pass(stage, 2 * OUTAGE, areAll(stage, "terminated"))).toBeLessThan(2 * OUTAGE);
  expect(stage.world.provider.machines.size).toBe(0);
});

test.each(ways)("clusters that come up, and a provider that %s", { timeout: 60_000 }, async (_, away) => {
  const normal = await during(await hundred());
  const stage = await hundred();
  stage.meter.away = away;
  const { calls, writes } = await during(stage);
  expect(calls).toBeGreaterThan(CLUSTERS);
  expect(calls).toBeLessThanOrEqual(MOST_CALLS * normal.calls);
  expect(writes).toBeLessThan(MOST_WRITES);
  stage.meter.away = undefined;
  expect(await pass(stage, 2 * OUTAGE, areAll(stage, "booting"))).toBeLessThan(2 * OUTAGE);
  await callHome(stage);
  await pass(stage, MINUTE);
  expect(await areAll(stage, "ready")()).toBe(true);
  expect(stage.world.provider.machines.size).toBe(CLUSTERS);
});

test("clusters that are ready ask the provider nothing, there or not", async () => {
  const stage = await ready();
  stage.meter.away = noAnswer;
  expect((await during(stage)).calls).toBe(0);
  expect(await areAll(stage, "ready")()).toBe(true);
});
