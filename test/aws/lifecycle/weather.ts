/**
 * At every AWS call of create, stop, start, move and remove: throttled, broken before and after it was applied, silent after it
 * was applied, answered twice, and denied for an hour. Whatever happens, nothing is launched twice, nothing is left, and
 * nothing is called ended that is not.
 *
 * Ran against: moto's DynamoDB and EC2 through the edge, which breaks the wire; client tokens of RunInstances and of
 * transactions are the edge's, and so are the order in which moto's machines end, and what moto lacks of snapshots (see
 * ec2-snapshot-support.ts). Time is the test's own.
 */

import * as Budget from "@muster/core/budget/change.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMoving, ownImages, ownParts } from "../ec2-snapshot-support.ts";
import { type Cloud, openCloud } from "../ec2-support.ts";
import type { Fault } from "../support/edge.ts";
import { ADA, type AwsWorld, alive, goOn, openWorld, verbs } from "./world.ts";

const NODES = 2;
const HOUR = 3_600_000;
let cloud: Cloud;

export type Phase = "create" | "stop" | "start" | "move" | "remove";
const ends: Readonly<Record<Phase, Cluster.State>> = {
  create: "ready",
  stop: "stopped",
  start: "ready",
  move: "ready",
  remove: "terminated",
};

/** What must hold at every moment. */
async function check(at: AwsWorld, seen: Set<string>, cluster: Cluster.Info): Promise<void> {
  const machines = await alive(at, cluster.id);
  for (const machine of machines) seen.add(machine.InstanceId ?? "");
  expect(machines.length, `${cluster.state} with too many machines`).toBeLessThanOrEqual(NODES);
  if (cluster.state === "terminated" || cluster.state === "failed")
    expect(machines.length, `called ${cluster.state}, and machines live`).toBe(0);
  if (cluster.state === "stopped")
    expect(machines.filter(one => one.State?.Name === "running").length, "called stopped, and machines run").toBe(0);
}

let names = 0;
/** A cluster that is where the phase begins. */
async function begin(at: AwsWorld, phase: Phase): Promise<{ id: string; seen: Set<string> }> {
  const seen = new Set<string>();
  const watch = (cluster: Cluster.Info) => check(at, seen, cluster);
  if (phase === "create") return { id: "", seen };
  const id = await verbs.create(at, `c${names++}`, { idle: "never" });
  await goOn(at, id, ["ready"], watch);
  if (phase === "start" || phase === "move") {
    await verbs.stop(at, id);
    await goOn(at, id, ["stopped"], watch);
  }
  return { id, seen };
}

/** @returns the id of the cluster that it was said of */
async function say(at: AwsWorld, phase: Phase, id: string): Promise<string> {
  if (phase === "create") return verbs.create(at, `c${names++}`, { idle: "never" });
  await verbs[phase](at, id);
  return id;
}

/** @returns the cluster's id, and where it came to. */
async function act(at: AwsWorld, phase: Phase, begun: { id: string; seen: Set<string> }): Promise<Cluster.Info> {
  const id = await say(at, phase, begun.id);
  return goOn(at, id, [ends[phase], "failed"], cluster => check(at, begun.seen, cluster));
}

/** Takes the cluster away, and looks whether anything is left of it. */
async function finish(at: AwsWorld, cluster: Cluster.Info, seen: Set<string>): Promise<void> {
  if (cluster.state !== "terminated" && cluster.state !== "failed") {
    await verbs.remove(at, cluster.id);
    const end = await goOn(at, cluster.id, ["terminated", "failed"], one => check(at, seen, one));
    expect(["terminated", "failed"]).toContain(end.state);
  }
  expect(await alive(at, cluster.id)).toEqual([]);
  await expectNoCopies(at);
  expect((await Budget.get(at.world, ADA)).hourly.taken).toBe(0);
}

/** What a move leaves behind is deleted by the sweep. */
async function expectNoCopies(at: AwsWorld): Promise<void> {
  await sweepOrphans(at.world);
  expect([await ownImages(cloud), await ownParts(cloud)]).toEqual([[], []]);
}

/** The calls of a phase as they come when nothing happens, each with how often it came before. */
async function callsOf(at: AwsWorld, phase: Phase): Promise<readonly (readonly [string, number])[]> {
  const begun = await begin(at, phase);
  cloud.edge.clear();
  const cluster = await act(at, phase, begun);
  expect(cluster.state).toBe(ends[phase]);
  const counts = new Map<string, number>();
  const calls = cloud.edge.log.map(({ service, operation }) => {
    const name = `${service}.${operation}`;
    const before = counts.get(name) ?? 0;
    counts.set(name, before + 1);
    return [name, before] as const;
  });
  await finish(at, cluster, begun.seen);
  return calls;
}

type Weather = "throttled" | "reset" | "reset after" | "silent after" | "twice";
const kinds: Readonly<Record<Weather, Fault["kind"]>> = {
  throttled: "throttle",
  reset: "reset",
  "reset after": "reset-after-apply",
  "silent after": "timeout-after-apply",
  twice: "duplicate",
};

/** Silence of DynamoDB is waited out in real seconds, and its own suite has it; reads answered twice are reads. */
const applies = (call: string, weather: Weather): boolean =>
  call.startsWith("ec2.") || weather === "reset" || (weather === "reset after" && !/\.(Get|Query)/.test(call));

const hits = (): number => cloud.edge.log.filter(one => one.fault !== undefined).length;

/** A move's own are its calls of EC2, which it makes again and again while it waits; the table does what it always does. */
const weathersOf = (phase: Phase, call: string, skip: number): Weather[] =>
  phase === "move" && (skip > 1 || !call.startsWith("ec2."))
    ? []
    : (Object.keys(kinds) as Weather[]).filter(weather => applies(call, weather));

/** What is done to one run of a phase. */
interface Storm {
  readonly name: string;
  readonly faults: readonly Fault[];
}

const isTableRead = (call: string): boolean => /^dynamodb\.(Get|Query)/.test(call);

/** So many reads of the table, one after another, are broken in the same run: each is asked again below all that knows of clusters. */
const READS = 10;

function stormsOf(phase: Phase, calls: readonly (readonly [string, number])[]): Storm[] {
  return calls.flatMap(([call, skip]) =>
    weathersOf(phase, call, skip)
      .filter(() => !isTableRead(call) || skip % READS === 0)
      .map(weather => {
        const fault = { on: call, kind: kinds[weather] } as Fault;
        const more = isTableRead(call)
          ? calls.filter(([one, at]) => one === call && at > skip && at < skip + READS)
          : [];
        // Each lets one pass: the repetition of the one before it.
        const faults = [{ ...fault, skip }, ...more.map(() => ({ ...fault, skip: 1 }))];
        return { name: `${call} ${skip} ${weather}`, faults };
      }),
  );
}

/**
 * What is made once per account and process, such as a security group, is made again in every run of `create`. And moto
 * remembers every snapshot and image for ever, and looks through all of them.
 */
const placeFor = async (phase: Phase, shared: AwsWorld): Promise<AwsWorld> =>
  phase === "create" || phase === "move" ? fresh(phase) : shared;

/** An account in which nothing was ever made, and a control plane that remembers nothing. */
async function fresh(phase: Phase): Promise<AwsWorld> {
  await cloud.reset();
  // moto looks through a thousand snapshots of its own.
  return openWorld(cloud, phase === "move" ? 800 : 400);
}

export function weatherLaws(phase: Phase): void {
  // A cluster that moves has other machines afterwards.
  const most = phase === "move" ? 2 * NODES : NODES;
  beforeAll(async () => {
    cloud = phase === "move" ? await openMoving() : await openCloud();
  });
  afterAll(() => cloud?.close());

  test("comes to its end through any weather at any one of its calls", async () => {
    const shared = await fresh(phase);
    const calls = await callsOf(shared, phase);
    expect(calls.filter(([call]) => call.startsWith("ec2.")).length).toBeGreaterThan(0);
    for (const { name, faults } of stormsOf(phase, calls)) {
      const at = await placeFor(phase, shared);
      const begun = await begin(at, phase);
      cloud.edge.clear();
      cloud.edge.inject(...faults);
      const cluster = await act(at, phase, begun);
      expect([name, hits()]).toEqual([name, faults.length]);
      expect([name, cluster.state, cluster.failure]).toEqual([name, ends[phase], undefined]);
      expect([name, begun.seen.size <= most]).toEqual([name, true]);
      cloud.edge.clear();
      await finish(at, cluster, begun.seen);
    }
  }, 600_000);

  test("is denied for an hour: no machine is forgotten, and nothing is called what it is not", async () => {
    const shared = await fresh(phase);
    const calls = new Set((await callsOf(shared, phase)).map(([call]) => call).filter(call => call.startsWith("ec2.")));
    for (const call of calls) {
      const at = await placeFor(phase, shared);
      const begun = await begin(at, phase);
      cloud.edge.clear();
      cloud.edge.inject({
        on: call,
        kind: "error",
        code: "UnauthorizedOperation",
        status: 403,
        times: Number.POSITIVE_INFINITY,
      });
      const since = at.world.clock.now();
      const id = await say(at, phase, begun.id);
      await goOn(at, id, [], one => check(at, begun.seen, one), 60);
      expect(hits(), call).toBeGreaterThan(0);
      expect(at.world.clock.now() - since).toBeGreaterThanOrEqual(HOUR);
      cloud.edge.clear();
      const after = await goOn(at, id, [ends[phase], "failed", "stopped", "terminated"], one =>
        check(at, begun.seen, one),
      );
      // What was refused for good says why; what was not comes to its end when it may.
      expect(after.failure ? ["failed", "stopped"] : [ends[phase]], call).toContain(after.state);
      await finish(at, after, begun.seen);
    }
  }, 600_000);
}
