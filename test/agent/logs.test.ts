/** Logs on their way home; the control plane, and what stands for S3, is a server of our own. */
import { appendFileSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Record } from "../../packages/agent/src/attempt/record.ts";
import { Clock } from "../../packages/agent/src/control/clock.ts";
import { Journal } from "../../packages/agent/src/journal.ts";
import { Mask } from "../../packages/agent/src/logs/mask.ts";
import { Pace } from "../../packages/agent/src/logs/pace.ts";
import { Shipper } from "../../packages/agent/src/logs/shipper.ts";
import { phasesOf, stagesOf } from "../../packages/agent/src/script/texts.ts";
import { Bench } from "./support/bench.ts";
import { until } from "./support/until.ts";

const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");

test.concurrent("the first output goes at once, though nobody follows", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo first; sleep 1000" });
  await bench.agent();
  await until("the first output", () => bench.plane.log("job_a") === "first\n", 3_000);
});

test.concurrent("what setup prints comes while it runs", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { setup: "echo setting up; sleep 1000" });
  await bench.agent();
  await until("its first output", () => bench.plane.log("job_a", "setup") === "setting up\n", 10_000);
});

test.concurrent("uploads that fail for a while are made up for, in order", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("logs", 503);
  bench.plane.assign("job_a", { setup: "seq 1 10", run: "seq 11 2000" });
  await bench.agent();
  await until("an upload to be refused", () => bench.agentLog().includes("log chunk refused"));
  await until("the script to end", () => bench.agentState("job_a-1").includes('"closing"'));
  expect(bench.plane.exit("job_a")).toBeUndefined();
  bench.plane.faults.delete("logs");
  expect(await bench.exit("job_a")).toMatchObject({ logsComplete: true });
  expect(bench.plane.log("job_a")).toBe(numbered(2000));
});

test.concurrent("a grant that is over is renewed by a poll at once", async () => {
  await using bench = await Bench.open();
  const expired = bench.plane.policy("job_a", 1, { expiresAt: Date.now() - 1 });
  bench.plane.assign("job_a", { run: "echo hello", logs: expired });
  bench.plane.held = [{ jobId: "job_a", fence: 1, logs: bench.plane.policy("job_a", 1) }];
  await bench.agent();
  expect(await bench.exit("job_a", 1, 5_000)).toMatchObject({ logsComplete: true });
  expect(bench.plane.log("job_a")).toBe("hello\n");
});

test.concurrent("an exit that the control plane does not take for want of chunks brings all of them again", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("report", "cut");
  bench.plane.assign("job_a", { setup: "echo one", run: "echo two" });
  await bench.agent();
  await until("both chunks", () => bench.plane.chunks("job_a").length === 2);
  bench.plane.uploads.clear();
  bench.plane.faults.delete("report");
  expect(await bench.exit("job_a")).toMatchObject({ logsComplete: true, chunks: 2 });
  expect(bench.plane.log("job_a")).toBe("one\ntwo\n");
});

test.concurrent("a thousand lines a second arrive whole while somebody follows, three chunks a second at most", async () => {
  await using bench = await Bench.open();
  const run = "for s in $(seq 0 39); do seq $((s * 100 + 1)) $((s * 100 + 100)); sleep 0.1; done";
  bench.plane.assign("job_a", { run });
  bench.plane.held = [{ jobId: "job_a", fence: 1, followUntil: Date.now() + 600_000 }];
  await bench.agent();
  await bench.kick();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe(numbered(4000));
  const times = bench.plane.uploadTimes;
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  expect(times.length).toBeLessThanOrEqual(seconds / 0.3 + 3);
  expect(times.length).toBeGreaterThan(seconds);
});

test.concurrent("a burst of twenty megabytes arrives whole, in chunks of the size that the grant allows", async () => {
  await using bench = await Bench.open();
  const logs = bench.plane.policy("job_a", 1, { maxBytes: 1_000_000 });
  bench.plane.assign("job_a", { run: "seq 1 2700000", logs });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a") === numbered(2_700_000)).toBe(true);
  const chunks = bench.plane.chunks("job_a");
  expect(Math.max(...chunks.map(chunk => chunk.bytes.length))).toBeLessThanOrEqual(1_000_000);
  expect(chunks.every(chunk => chunk.bytes.at(-1) === 0x0a)).toBe(true);
});

test.concurrent("output without a line end arrives too, byte for byte", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "printf 'a\\r'; printf '\\377\\000\\001'; printf é; printf end" });
  await bench.agent();
  await bench.exit("job_a");
  const bytes = Buffer.concat(bench.plane.chunks("job_a").map(chunk => chunk.bytes));
  expect(bytes.toString("latin1")).toBe("a\r\xff\x00\x01\xc3\xa9end");
});

/** A shipper of its own, for an attempt that nobody runs. */
function shipping(bench: Bench, changes: Partial<Assignment> = {}) {
  const record = Record.create(bench.home.root, bench.plane.assign("job_a", changes), Date.now());
  const halt = new AbortController();
  const shipper = new Shipper({
    folder: record.folder,
    stages: stagesOf(record.assignment),
    policy: record.policy,
    clock: new Clock(),
    journal: new Journal(join(bench.home.root, "log")),
    quota: record.assignment.logQuota,
    mask: new Mask([]),
    refresh: () => undefined,
    halt: halt.signal,
  });
  const path = (phase: string): string => join(record.folder, "out", `${phase}.log`);
  return {
    shipper,
    folder: record.folder,
    path,
    out: (phase: string, text: string): void => appendFileSync(path(phase), text),
    closeAll: (): void => {
      for (const phase of phasesOf(record.assignment)) shipper.close(phase);
    },
  };
}

test.concurrent("what cannot be sent by its deadline is given up, and the chunks that were sent are counted", async () => {
  await using bench = await Bench.open();
  const { shipper, out, closeAll } = shipping(bench);
  out("setup", "one\n");
  shipper.close("packages");
  const shipped = shipper.run();
  await until("the first chunk", () => bench.plane.uploads.size === 1);
  bench.plane.faults.set("logs", 503);
  out("run", "two\n");
  closeAll();
  shipper.expire(Date.now() + 500);
  expect(await shipped).toEqual({ chunks: 1, complete: false });
  expect(bench.plane.log("job_a")).toBe("one\n");
});

test.concurrent.each(["before", "after"])(
  "of a file that is gone nobody says that it came home whole, nor sends less of a chunk: %s a restart",
  async when => {
    await using bench = await Bench.open();
    const { shipper, out, path, closeAll } = shipping(bench);
    out("setup", "one\n");
    shipper.close("packages");
    const shipped = shipper.run();
    await until("the first chunk", () => bench.plane.uploads.size === 1);
    rmSync(path("setup"));
    closeAll();
    if (when === "before") expect(await shipped).toEqual({ chunks: 1, complete: false });
    else await shipped;
    expect(await shipper.run()).toEqual({ chunks: 1, complete: false });
    expect(await shipper.resend()).toBe(false);
    expect([...bench.plane.uploads.values()].flat().map(String)).toEqual(["one\n"]);
  },
);

test.concurrent("a shipper that is begun again counts what it has sent once", async () => {
  await using bench = await Bench.open();
  const { shipper, out, folder, closeAll } = shipping(bench, { logQuota: written(15) });
  const chunks = join(folder, "chunks");
  out("packages", numbered(5));
  out("setup", numbered(5));
  for (const phase of ["packages", "setup"] as const) shipper.close(phase);
  const broken = shipper.run();
  await until("two chunks", () => bench.plane.uploads.size === 2);
  renameSync(chunks, `${chunks}.kept`);
  mkdirSync(chunks);
  out("run", numbered(5));
  await expect(broken).rejects.toThrow("EISDIR");
  rmdirSync(chunks);
  renameSync(`${chunks}.kept`, chunks);
  closeAll();
  expect(await shipper.run()).toEqual({ chunks: 3, complete: true });
  expect(bench.plane.log("job_a", "run")).toBe(numbered(5));
});

test.concurrent("nobody follows: a ten-minute job with a megabyte of log takes 25 requests at most", () => {
  const pace = new Pace();
  const perSecond = (1024 * 1024) / 600;
  const state = { pending: 0, sent: 0 };
  for (let now = 0; now <= 600_000; now += 1_000) {
    state.pending += perSecond;
    const moment = { now, pending: state.pending, followed: false, closed: false };
    if (!pace.isDue(moment)) continue;
    pace.sent(moment);
    Object.assign(state, { pending: 0, sent: state.sent + 1 });
  }
  expect(state.sent).toBeLessThan(25);
  expect(state.sent).toBeGreaterThan(10);
});

/** Bytes of so many lines. */
const written = (count: number): number => numbered(count).length;

test.concurrent("packages, setup and run are apart, in their order", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { setup: "echo one", run: "echo two; exit 3" });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.chunks("job_a").map(({ key, bytes }) => [key, String(bytes)])).toEqual([
    ["000000000.setup", "one\n"],
    ["000000001.run", "two\n"],
  ]);
});

test.concurrent("what is printed beyond the quota stays where it is: whole lines come, a note says so at once, and the last line how much", async () => {
  await using bench = await Bench.open();
  const logQuota = written(100) + 2;
  const run = "seq 11 200; until [ -e ~/go ]; do sleep 0.05; done; seq 201 250";
  bench.plane.assign("job_a", { setup: "seq 1 10", run, logQuota });
  bench.plane.held = [{ jobId: "job_a", fence: 1, followUntil: Date.now() + 600_000 }];
  await bench.agent();
  await bench.kick();
  await until("the note", () => bench.plane.log("job_a", "muster").includes("the log has come to 294 B"));
  expect(bench.plane.log("job_a", "setup") + bench.plane.log("job_a", "run")).toBe(numbered(100));
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ logsComplete: true, exitCode: 0 });
  expect(bench.plane.log("job_a", "setup") + bench.plane.log("job_a", "run")).toBe(numbered(100));
  expect(bench.plane.log("job_a", "muster").split("\n")).toEqual([
    "the log has come to 294 B, the most that is kept of a node in one try: what is printed from here on is not",
    `the log was cut: of the ${written(250)} B that were printed (setup 21 B, run ${written(250) - 21} B) the first 294 B are kept`,
    "",
  ]);
});

test.concurrent("an agent that is started again has not forgotten what of the quota is used up", async () => {
  await using bench = await Bench.open();
  const logQuota = written(10);
  const run = "seq 7 8; until [ -e ~/go ]; do sleep 0.05; done; seq 9 20";
  bench.plane.assign("job_a", { setup: "seq 1 6", run, logQuota });
  const first = await bench.agent();
  await until("two chunks", () => bench.plane.chunks("job_a").length === 2);
  first.kill("SIGKILL");
  bench.write("go");
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a", "setup") + bench.plane.log("job_a", "run")).toBe(numbered(10));
  expect(bench.plane.log("job_a", "muster")).toContain("the first 21 B are kept\n");
});

test.concurrent("what is printed beyond the quota takes no room on the disk, and its script ends as it would have", async () => {
  await using bench = await Bench.open();
  const run =
    "head -c 5000000 /dev/zero | tr '\\0' x; echo; touch ~/printed; until [ -e ~/go ]; do sleep 0.05; done; exit 3";
  bench.plane.assign("job_a", { setup: "seq 1 10", run, logQuota: 100 });
  await bench.agent();
  await until("all to be printed", () => bench.read("printed") !== undefined);
  expect(statSync(join(bench.home.attempts, "job_a-1", "out", "run.log")).size).toBeLessThan(1_100_000);
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 3, logsComplete: true });
  expect(bench.plane.log("job_a", "muster")).toContain("(setup 21 B, run 1.0 MB or more) the first 100 B are kept\n");
});

test.concurrent("what services print comes while run runs, and run's comes on", async () => {
  await using bench = await Bench.open();
  const services = [{ name: "a", run: "echo a is up; sleep 1000", port: 46_001 }];
  const run = "echo one; until [ -e ~/go ]; do sleep 0.05; done; echo two";
  bench.plane.assign("job_a", { services, run });
  bench.plane.held = [{ jobId: "job_a", fence: 1, followUntil: Date.now() + 600_000 }];
  await bench.agent();
  await bench.kick();
  await until("what the service printed", () => bench.plane.log("job_a", "service-a") === "a is up\n");
  await until("what run printed", () => bench.plane.log("job_a", "run").endsWith("one\n"));
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ logsComplete: true });
  expect(bench.plane.log("job_a", "run")).toMatch(/\none\ntwo\n$/);
  expect(bench.plane.log("job_a", "service-a")).toBe("a is up\n");
});
