/** What keeps a cluster from its idle policy, and what does not: hosts that call and a sweep, on the fake provider. */
import * as Change from "@muster/core/cluster/change.ts";
import { quietOf, UNKNOWN_FOR } from "@muster/core/cluster/reconcile/quiet.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { code, jobRequest, MINUTE, passing } from "../support/requests.ts";
import { ADA } from "../support/world.ts";
import { busyUntil, staged } from "./idle-support.ts";

describe("what hosts look for", () => {
  test("is told as the policy has it; under a policy of jobs alone, and none, nothing", async () => {
    const all = { waitFor: "jobs_and_sessions", cpuBelow: 0.05, gpuBelow: 0.1, command: "test -e done" } as const;
    const { watch } = await (await staged(all)).call(0);
    expect(watch).toEqual({ sessions: true, cpuBelow: 0.05, gpuBelow: 0.1, command: "test -e done" });
    expect((await (await staged({})).call(0)).watch).toBeUndefined();
    expect((await (await staged("never")).call(0)).watch).toBeUndefined();
  });

  test("is told as soon as the policy is changed, also before its machines know it", async () => {
    const { world, id, call } = await staged({});
    world.provider.setPowerOff = async () => Promise.reject(new Error("not now"));
    await Change.autostop(world, ADA, id, { after: 10, action: "terminate", cpuBelow: 0.5 });
    expect((await call(0)).watch).toEqual({ cpuBelow: 0.5 });
  });
});

describe("hosts that tell how long they have been quiet", () => {
  test("keep it while they are busy, and for the policy's time after", async () => {
    const { pass, state } = await staged({ cpuBelow: 0.05 });
    await pass(49, busyUntil(40));
    expect(await state()).toBe("ready");
    await pass(3, (_, minute) => ({ seconds: (9 + minute) * 60 }));
    expect(await state()).toBe("stopped");
  });

  test.each([0, 1, 2])("one that is busy is enough, of whichever group: host %i", async busy => {
    const { pass, state } = await staged({ gpuBelow: 0.1, after: 5 }, {}, true);
    await pass(20, rank => ({ seconds: rank === busy ? 0 : 3600 }));
    expect(await state()).toBe("ready");
    await pass(7, (_, minute) => ({ seconds: minute * 60 }));
    expect(await state()).toBe("stopped");
  });

  test("count from when it got ready, whatever they did in a former life", async () => {
    const { pass, state } = await staged({ waitFor: "jobs_and_sessions", after: 20 });
    await pass(18, () => ({ seconds: 86_400 }));
    expect(await state()).toBe("ready");
    await pass(4, () => ({ seconds: 86_400 }));
    expect(await state()).toBe("stopped");
  });

  test("are asked only when the time has come, and nothing but the deadline is written", async () => {
    const { world, pass } = await staged({ cpuBelow: 0.05, after: 30 });
    const { query } = world.table;
    let asked = 0;
    world.table.query = (range: never) => {
      if ((range as { prefix?: string }).prefix === "PULSE#") asked++;
      return (query as (range: never) => never).call(world.table, range);
    };
    const before = world.changes.length;
    await pass(29, busyUntil(200));
    const written = () =>
      world.changes.slice(before).filter(change => "item" in change && change.item.type === "cluster").length;
    expect([asked, written()]).toEqual([0, 0]);
    await pass(30, busyUntil(200));
    expect(written()).toBe(1);
  });
});

describe("hosts that do not say it", () => {
  test("keep it for a while, and not for ever", async () => {
    const { pass, state } = await staged({ cpuBelow: 0.05, after: 5 });
    await pass(UNKNOWN_FOR / MINUTE - 1, () => undefined);
    expect(await state()).toBe("ready");
    await pass(8, () => undefined);
    expect(await state()).toBe("stopped");
  });

  test("an agent that begins anew, and has still to learn what to look for, keeps it", async () => {
    const { pass, state } = await staged({ cpuBelow: 0.05, after: 5 });
    await pass(30, () => ({ seconds: 0 }));
    await pass(8, () => undefined);
    expect(await state()).toBe("ready");
    await pass(4, (_, minute) => ({ seconds: minute * 60 }));
    expect(await state()).toBe("ready");
    await pass(4, (_, minute) => ({ seconds: (4 + minute) * 60 }));
    expect(await state()).toBe("stopped");
  });

  test("one whose words stop coming is idle from its last on, once that is long ago", async () => {
    const { world, pass, state } = await staged({ waitFor: "jobs_and_sessions", after: 5 }, { nodes: 2 });
    await pass(20, () => ({ seconds: 0 }));
    await pass(8, rank => (rank === 0 ? "none" : { seconds: 3600 }));
    expect(await state()).toBe("ready");
    await pass(6, rank => (rank === 0 ? "none" : { seconds: 3600 }));
    expect([await state(), world.errors]).toEqual(["stopped", []]);
  });

  test("what they said under another policy is not believed of this one", async () => {
    const { world, id, pass, state } = await staged({ cpuBelow: 0.9, after: 30 });
    await pass(20, busyUntil(0));
    await Change.autostop(world, ADA, id, { after: 1, action: "stop", cpuBelow: 0.05 });
    await passing(world, 1);
    expect(await state()).toBe("ready");
    await pass(4, () => ({ seconds: 0 }));
    expect(await state()).toBe("ready");
    await pass(3, (_, minute) => ({ seconds: minute * 60 }));
    expect(await state()).toBe("stopped");
  });

  test("another deadline for what they look for already is followed at once", async () => {
    const { world, id, pass, state } = await staged({ cpuBelow: 0.9, after: 300 });
    await pass(20, busyUntil(0));
    await Change.autostop(world, ADA, id, { after: 10, action: "stop", cpuBelow: 0.9 });
    await passing(world, 1);
    expect(await state()).toBe("stopped");
  });
});

describe("jobs", () => {
  const long = jobRequest({ run: "sleep 9999" });

  test("under `none` they keep it from nothing, and are ended as by a stop", async () => {
    const { world, id, call, pass, state } = await staged({ waitFor: "none", after: 10 });
    const job = await submit(world, ADA, id, long);
    const waits = await submit(world, ADA, id, jobRequest({ resources: { cpus: { count: 4, atLeast: true } } }));
    const [assigned] = (await call(0)).assignments;
    expect(assigned?.jobId).toBe(job.id);
    await pass(9, () => "none");
    expect(await state()).toBe("ready");
    const ref = { jobId: job.id, fence: assigned?.fence ?? 0 };
    await pass(1, () => "none");
    expect(await state()).toBe("stopping");
    expect((await call(0, undefined, [ref])).held).toMatchObject([{ jobId: job.id, cancel: "cancelled" }]);
    await pass(5, () => "none");
    expect([await state(), (await Jobs.get(world, ADA, job.id)).state]).toEqual(["stopped", "cancelled"]);
    // Nobody starts it again for what waits: its time was over.
    await passing(world, 5);
    expect([await state(), (await Jobs.get(world, ADA, waits.id)).state]).toEqual(["stopped", "queued"]);
  });

  test("under `none` what else the policy names still keeps it", async () => {
    const { pass, state } = await staged({ waitFor: "none", after: 10, cpuBelow: 0.05 });
    await pass(30, busyUntil(25));
    expect(await state()).toBe("ready");
    await pass(8, (_, minute) => ({ seconds: (5 + minute) * 60 }));
    expect(await state()).toBe("stopped");
  });

  test("their setup counts as busy", async () => {
    const { world, id, hosts, pass, state } = await staged({ after: 5 });
    const job = await submit(world, ADA, id, jobRequest({ setup: "sleep 9999", run: "true" }));
    const [assigned] = (await hosts[0]?.poll())?.assignments ?? [];
    const ref = { jobId: job.id, fence: assigned?.fence ?? 0 };
    await hosts[0]?.report({ ...ref, state: "preparing" });
    for (let minute = 0; minute < 30; minute++) {
      await passing(world, 1, async () => void (await hosts[0]?.poll([ref])));
    }
    expect([await state(), (await Jobs.get(world, ADA, job.id)).state]).toEqual(["ready", "starting"]);
    await hosts[0]?.report({
      ...ref,
      state: "exited",
      cause: "setup_failed",
      exitCode: 1,
      chunks: 0,
      logsComplete: true,
    });
    await pass(8, () => undefined);
    expect(await state()).toBe("stopped");
  });

  test("one that is lost counts as ended", async () => {
    const { world, id, hosts, state } = await staged({ after: 10 }, { nodes: 2 });
    const job = await submit(world, ADA, id, jobRequest());
    const [assigned] = (await hosts[0]?.poll())?.assignments ?? [];
    const ref = { jobId: job.id, fence: assigned?.fence ?? 0 };
    await hosts[0]?.report({ ...ref, state: "running" });
    // The host that runs it falls silent, its machine runs on; the other one calls.
    const call = async () => ((await state()) === "ready" ? hosts[1]?.poll() : undefined);
    await passing(world, 60, call);
    expect(await Jobs.get(world, ADA, job.id)).toMatchObject({ state: "failed", failure: { code: "host_lost" } });
    expect(await state()).not.toBe("ready");
  });

  test("the end of its lifetime waits for none of them", async () => {
    const { world, id, hosts, state } = await staged({ after: 600 }, { maxLifetime: 30 });
    const job = await submit(world, ADA, id, long);
    const [assigned] = (await hosts[0]?.poll())?.assignments ?? [];
    const ref = { jobId: job.id, fence: assigned?.fence ?? 0 };
    await hosts[0]?.report({ ...ref, state: "running" });
    await passing(world, 28, async () => void (await hosts[0]?.poll([ref])));
    expect(await state()).toBe("ready");
    await passing(world, 12);
    expect([await state(), (await Jobs.get(world, ADA, job.id)).state]).toEqual(["terminated", "cancelled"]);
  });
});

describe("its times", () => {
  test("0 keeps a grace of five minutes, and never is never", async () => {
    const soon = await staged({ after: 0 });
    await soon.pass(4, () => undefined);
    expect(await soon.state()).toBe("ready");
    await soon.pass(2, () => undefined);
    expect(await soon.state()).toBe("stopped");
    const never = await staged("never");
    await passing(never.world, 300, async () => void (await never.call(0)));
    expect(await never.state()).toBe("ready");
  });

  test("in the hours of the week it is kept, and stops with them when it has been idle for long", async () => {
    // The clock of these tests begins on Thursday, 2026-01-01, 00:00 UTC.
    const keep = { zone: "Europe/Berlin", hours: [{ days: ["thu" as const], from: "00:30", to: "03:00" }] };
    const { world, id, pass, state } = await staged({ after: 10, keep });
    expect((await Change.autostop(world, ADA, id, { after: 10, action: "stop", keep: true })).idle).toMatchObject({
      keep,
    });
    await pass(119, () => undefined);
    expect(await state()).toBe("ready");
    await pass(2, () => undefined);
    expect(await state()).toBe("stopped");
  });

  test("nothing that a record of before says of its policy is lost", async () => {
    const { world, id, call } = await staged({});
    const item = await world.table.get({ pk: `W#acme#C#${id}`, sk: "CLUSTER" });
    const idle = { after: 10, action: "stop", command: "test -e done", hook: { run: "./save.sh" } };
    const data = { ...item?.data, idle };
    await world.table.write([{ put: { ...(item as object), data } as never, expect: item?.version ?? 0 }]);
    expect((await call(0)).watch).toEqual({ command: "test -e done" });
    const kept = await Change.autostop(world, ADA, id, {
      after: 5,
      action: "stop",
      command: true,
      hook: { timeout: 1 },
    });
    expect(kept.idle).toEqual({ ...idle, after: 5, hook: { run: "./save.sh", timeout: 1 } });
  });

  test("what is to stay as it is must be there", async () => {
    const { world, id } = await staged({ command: "true" });
    const asked = { after: 5, action: "stop", command: true, keep: true } as const;
    await expect(Change.autostop(world, ADA, id, asked)).rejects.toMatchObject({
      code: "invalid_request",
      details: { issues: [{ path: "idle.keep" }] },
    });
    expect(await code(Change.autostop(world, ADA, id, { ...asked, keep: undefined }))).toBe("nothing");
  });
});

const PULSE = { cpu: 0, memory: 0, gpus: [], sessions: 0, attempts: 0 };

test("a word says nothing of the time after it, however short the policy's time is", () => {
  const at = 10_000_000;
  const asked = { from: 0, time: MINUTE, now: at + MINUTE };
  expect(quietOf({ ...PULSE, at, quiet: { seconds: 0 } }, asked)).toEqual({ since: at, isUnknown: true });
  expect(quietOf({ ...PULSE, at, quiet: { seconds: 59 } }, asked).isUnknown).toBe(true);
  expect(quietOf({ ...PULSE, at, quiet: { seconds: 60 } }, asked).isUnknown).toBe(false);
});

interface Word {
  /** Seconds. */
  readonly at: number;
  readonly quiet: number | undefined;
  readonly untold: number;
}

const pulseOf = ({ at, quiet, untold }: Word) => ({
  ...{ ...PULSE, at: at * 1000 },
  ...(quiet === undefined ? { untoldSince: untold * 1000 } : { quiet: { seconds: quiet } }),
});

test("a host's word is never taken for more than it says, and what it does not say keeps nothing for ever", () => {
  const seconds = fc.integer({ min: 0, max: 100_000 });
  const said = fc.record({ at: seconds, quiet: fc.option(seconds, { nil: undefined }), untold: seconds });
  fc.assert(
    fc.property(said, seconds, seconds, seconds, (word, from, later, time) => {
      const now = Math.max(word.at, from) + later;
      const asked = { from: from * 1000, time: time * 1000, now: now * 1000 };
      const { since, isUnknown } = quietOf(pulseOf(word), asked);
      // Never idle from before the policy, nor from before what it said last.
      const least = word.quiet !== undefined && word.at >= from + 300 ? word.at - word.quiet : from;
      expect(since).toBeGreaterThanOrEqual(Math.max(from, least) * 1000);
      const last = Math.max(word.at, from, word.quiet === undefined ? word.untold : 0);
      if (now * 1000 >= last * 1000 + UNKNOWN_FOR) expect(isUnknown).toBe(false);
    }),
  );
});
