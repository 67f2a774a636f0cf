/** Holding a cluster: what it keeps the idle policy from, until when, and what stands over it; on the fake provider. */
import * as Change from "@muster/core/cluster/change.ts";
import { hold, release } from "@muster/core/cluster/hold.ts";
import { Hold } from "@muster/core/cluster/idle.ts";
import { events, get, list } from "@muster/core/cluster/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { describe, expect, test } from "vitest";
import { code, jobRequest } from "../support/requests.ts";
import { ADA, BEN, type TestWorld } from "../support/world.ts";
import { staged } from "./idle-support.ts";

const HOUR = 3600;
const history = async (world: TestWorld) =>
  (await events(world, ADA, "demo", { limit: 100 })).items
    .filter(event => /held|released/.test(event.kind))
    .map(({ kind, actor, message }) => [kind, actor, message]);

describe("a hold", () => {
  test("keeps an idle cluster until it expires by itself, and then it stops at once", async () => {
    const { world, id, pass, state } = await staged({ after: 10 });
    const now = world.clock.now();
    const held = await hold(world, ADA, "demo", { seconds: HOUR, reason: "looking at the disk" });
    const shown = { until: now + HOUR * 1000, by: ADA.id, reason: "looking at the disk" };
    expect(held.hold).toEqual(shown);
    await pass(59);
    expect(await state()).toBe("ready");
    expect((await get(world, ADA, id)).hold).toEqual(shown);
    await pass(2);
    expect(await state()).toBe("stopped");
    expect((await get(world, ADA, id)).hold).toBeUndefined();
    expect(await history(world)).toEqual([
      ["cluster.held", ADA.id, `until ${new Date(shown.until).toISOString()}: looking at the disk`],
      ["cluster.released", "system", "the hold is over"],
    ]);
  });

  test("is prolonged by another, and never made shorter", async () => {
    const { world, pass, state } = await staged({ after: 10 }, { shared: true });
    const now = world.clock.now();
    await hold(world, ADA, "demo", { seconds: HOUR });
    expect((await hold(world, BEN, "demo", { seconds: 60 })).hold).toMatchObject({ by: ADA.id });
    expect((await hold(world, BEN, "demo", { seconds: 2 * HOUR })).hold).toEqual({
      until: now + 2 * HOUR * 1000,
      by: BEN.id,
    });
    await pass(119);
    expect(await state()).toBe("ready");
    expect(await code(release(world, { ...ADA, id: "usr_cem" }, "demo"))).toBe("forbidden");
    await release(world, BEN, "demo");
    await pass(1);
    expect(await state()).toBe("stopped");
  });

  test("that is let go is over at once; to let go again changes nothing", async () => {
    const { world, pass, state } = await staged({ after: 10 });
    await hold(world, ADA, "demo", { seconds: HOUR });
    await pass(30);
    await release(world, ADA, "demo");
    await release(world, ADA, "demo");
    expect((await history(world)).map(([kind]) => kind)).toEqual(["cluster.held", "cluster.released"]);
    await pass(1);
    expect(await state()).toBe("stopped");
  });

  test("keeps the disks of a stopped cluster as well", async () => {
    const { world, pass, state } = await staged({ after: 10, then: { after: 20, action: "terminate" } });
    await pass(12);
    expect(await state()).toBe("stopped");
    await hold(world, ADA, "demo", { seconds: HOUR });
    await pass(59);
    expect(await state()).toBe("stopped");
    await pass(3);
    expect(await state()).toBe("terminated");
  });

  test("keeps a cluster from the end of a job that was to take it along", async () => {
    const { world, id, hosts, pass, state } = await staged({ after: 60 });
    const { id: jobId } = await submit(world, ADA, id, jobRequest({}, { down: true }));
    const [assigned] = (await hosts[0]?.poll())?.assignments ?? [];
    await hold(world, ADA, "demo", { seconds: HOUR });
    await hosts[0]?.run({ jobId, fence: assigned?.fence ?? 0 }, 1);
    await pass(55);
    expect(await state()).toBe("ready");
    await pass(10);
    expect(await state()).toBe("terminated");
  });
});

test("a job that takes its cluster along does so whatever policy its machines are still to learn of", async () => {
  const { world, id, hosts, pass, state } = await staged({ after: 60 });
  world.provider.setPowerOff = async () => Promise.reject(new Error("not now"));
  const jobs = [
    await submit(world, ADA, id, jobRequest({}, { down: true })),
    await submit(world, ADA, id, jobRequest()),
  ];
  await Change.autostop(world, ADA, id, { after: 600, action: "terminate" });
  for (const { id: jobId } of jobs) {
    const assigned = (await hosts[0]?.poll())?.assignments.find(one => one.jobId === jobId);
    await hosts[0]?.run({ jobId, fence: assigned?.fence ?? 0 }, 0);
  }
  await pass(10);
  expect(await state()).toBe("terminated");
});

describe("over a hold stand", () => {
  test("what people do: a stop, and an end", async () => {
    const { world, pass, state } = await staged({ after: 10 });
    await hold(world, ADA, "demo", { seconds: HOUR });
    await Change.stop(world, ADA, "demo");
    await pass(1);
    expect(await state()).toBe("stopped");
    await Change.remove(world, ADA, "demo");
    await pass(1);
    expect(await state()).toBe("terminated");
  });

  test("the end of its lifetime", async () => {
    const { world, pass, state } = await staged({ after: 10 }, { maxLifetime: 30 });
    await hold(world, ADA, "demo", { seconds: 5 * HOUR });
    await pass(40);
    expect(await state()).toBe("terminated");
  });
});

test("nobody holds a cluster that is another's, or on its way out", async () => {
  const { world } = await staged({ after: 10 });
  expect(await code(hold(world, BEN, "demo", { seconds: HOUR }))).toBe("forbidden");
  await Change.remove(world, ADA, "demo");
  expect(await code(hold(world, ADA, "demo", { seconds: HOUR }))).toBe("conflict");
});

test("its record stays short whatever its policy and its hold say; a list leaves that out", async () => {
  const long = "x".repeat(4000);
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
  const hours = Array.from({ length: 14 }, () => ({ days: [...days], from: "00:00", to: "12:00" }));
  const keep = { zone: "Europe/Berlin", hours };
  const idle = { command: long, hook: { run: long, timeout: 2 }, keep };
  const { world, id, call } = await staged(idle);
  await hold(world, ADA, "demo", { seconds: HOUR, reason: "y".repeat(500) });
  const item = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
  expect(JSON.stringify(item?.data).length).toBeLessThan(1024);
  expect(Hold.parse(item?.data.hold).reason).toBe(true);
  expect(await get(world, ADA, id)).toMatchObject({ idle, hold: { reason: "y".repeat(500) } });
  const { items } = await list(world, ADA, { limit: 10, all: false });
  expect(items[0]?.idle).toEqual({ after: 10, action: "stop", command: true, keep: true, hook: { timeout: 2 } });
  expect(items[0]?.hold).toEqual({ until: expect.any(Number), by: ADA.id });
  // A policy without texts takes them away, and why it is held stays.
  await Change.autostop(world, ADA, id, { after: 5, action: "stop" });
  const words = await world.table.get({ pk: `W#acme#C#${id}`, sk: "WORDS" });
  expect(words?.data).toEqual({ reason: "y".repeat(500) });
  expect((await call(0)).watch).toBeUndefined();
});
