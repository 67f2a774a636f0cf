/** What keeps a machine besides its jobs; the agent's own code, with real processes. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, uptime } from "node:os";
import { join } from "node:path";
import { type Watch as Order, Orders } from "@muster/core/agent/protocol.ts";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { at, prepare } from "../../packages/agent/src/home.ts";
import { boot } from "../../packages/agent/src/host/boot.ts";
import { look } from "../../packages/agent/src/host/surroundings.ts";
import { Question } from "../../packages/agent/src/idle/question.ts";
import { Watch } from "../../packages/agent/src/idle/watch.ts";
import { Journal } from "../../packages/agent/src/journal.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "ma-watch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Begun {
  readonly watch: Watch;
  /** In the jobs' HOME. */
  readonly path: (name: string) => string;
  readonly record: string;
}

/** A watch that looks twenty times a second, in a home of its own; `smi` is what its nvidia-smi does. */
function begun({ smi, kept }: { smi?: string; kept?: object | string } = {}): Begun {
  const home = at(mkdtempSync(join(folder, "home-")));
  prepare(home);
  if (kept) writeFileSync(home.watch, JSON.stringify(kept).replace(/^"|"$/g, ""));
  const machine = { ...look(), smi: smi === undefined ? undefined : join(home.root, "nvidia-smi") };
  if (machine.smi !== undefined) writeFileSync(machine.smi, `#!/bin/sh\n${smi}\n`);
  if (machine.smi !== undefined) chmodSync(machine.smi, 0o755);
  const watch = new Watch({ home, machine, journal: new Journal(home.log) }, 50);
  const quit = new AbortController();
  const over = watch.watch(quit.signal);
  onTestFinished(() => {
    quit.abort();
    return over;
  });
  return { watch, path: name => join(home.jobs, name), record: home.watch };
}

const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []);
const order = (text: string): Order => ({ command: text });

test("without an order nothing is looked at, and nothing is said", async () => {
  const { watch, path, record } = begun({ smi: 'echo asked >>"$(dirname $0)/home/asked"; echo 0' });
  watch.heard(undefined);
  expect([watch.quiet, watch.isBusy, existsSync(record)]).toEqual([undefined, false, false]);
  watch.heard({ gpuBelow: 0.5 });
  await until("GPUs to be asked twice", () => lines(path("asked")).length >= 2);
  watch.heard(undefined);
  expect([watch.quiet, existsSync(record)]).toEqual([undefined, false]);
});

test("cores that are busier than they should be are seen, and others are not", async () => {
  const { watch } = begun();
  const spin = setInterval(() => {
    for (const end = performance.now() + 20; performance.now() < end; );
  }, 25);
  onTestFinished(() => clearInterval(spin));
  watch.heard({ cpuBelow: 0.01 });
  await until("the cores to be busy", () => watch.quiet?.by === "cpu");
  expect(watch.isBusy).toBe(true);
  watch.heard({ cpuBelow: 1 });
  expect(watch.quiet).toEqual({ seconds: 0 });
  await until("no core that is busier than all", () => !watch.isBusy);
  expect(watch.quiet?.by).toBeUndefined();
});

test("one GPU that is busier keeps the machine; what nobody can tell does not", async () => {
  const { watch, path } = begun({
    smi: 'echo x >>"$(dirname $0)/home/asked"; [ -e "$(dirname $0)/home/broken" ] && exit 9; echo 0; cat "$(dirname $0)/home/second"',
  });
  writeFileSync(path("second"), "5\n");
  watch.heard({ gpuBelow: 0.05 });
  await until("some looks", () => lines(path("asked")).length >= 3);
  expect(watch.isBusy).toBe(false);
  writeFileSync(path("second"), "6\n");
  await until("the second to be busy", () => watch.isBusy);
  expect(watch.quiet?.by).toBe("gpu");
  writeFileSync(path("second"), "0\n");
  await until("both to be quiet", () => !watch.isBusy);
  // As nvidia-smi says it of a GPU that is cut into instances.
  writeFileSync(path("second"), "[N/A]\n");
  await until("one that does not say to be busy", () => watch.isBusy);
  writeFileSync(path("broken"), "");
  await until("a driver that fails to say nothing", () => !watch.isBusy);
  // What was busy last stays known.
  expect(watch.quiet?.by).toBe("gpu");
});

test.each([
  ["exit 0", false],
  ["exit 1", true],
  ["no-such-program", true],
  ["kill -9 $$", true],
  ["if", true],
])("a command `%s` says busy: %s", async (text, isBusy) => {
  const { watch, path } = begun();
  watch.heard(order(`trap 'touch ~/over' EXIT; ${text}`));
  if (isBusy) await until("it to say so", () => watch.quiet?.by === "command");
  else {
    await until("it to be over", () => existsSync(path("over")));
    watch.heard(order(`test ! -e ~/over; echo x >>~/again; test 0 = 0`));
    await until("another", () => existsSync(path("again")));
  }
  expect(watch.isBusy).toBe(isBusy);
});

test("never do two of the commands run, and another begins when all of the first is gone", async () => {
  const { watch, path } = begun();
  const slow = "trap 'sleep 0.3; echo out >>~/log; exit' TERM; echo in >>~/log; while :; do sleep 0.02; done";
  watch.heard(order(slow));
  await until("the first", () => lines(path("log")).includes("in"));
  watch.heard(order("echo second >>~/log; exit 1"));
  await until("the second", () => watch.isBusy);
  expect(lines(path("log"))).toEqual(["in", "out", "second"]);
});

/** A command that is asked all the time. @param times seconds from one to the next, and that it has */
function asked(text: string, times?: { every: number; limit: number }) {
  const home = at(mkdtempSync(join(folder, "home-")));
  prepare(home);
  const question = new Question({ home, machine: look(), journal: new Journal(home.log) }, () => undefined, times);
  question.put(text);
  onTestFinished(() => question.put(undefined));
  return { ask: () => question.ask(), log: () => lines(join(home.jobs, "log")) };
}

test("one that takes long is not overtaken by the next", async () => {
  const { ask, log } = asked("echo in >>~/log; sleep 0.15; echo out >>~/log", { every: 0.05, limit: 30 });
  await until("three of them", () => !ask() && log().length >= 6);
  expect(log().slice(0, 6)).toEqual(["in", "out", "in", "out", "in", "out"]);
});

test("one that takes too long says busy, and is ended", async () => {
  const text = "trap 'echo out >>~/log; exit 0' TERM; echo in >>~/log; while :; do sleep 0.05; done";
  const { ask, log } = asked(text, { every: 30, limit: 0.3 });
  expect(ask()).toBe(false);
  await until("its time to be over", ask);
  await until("its end", () => log().length >= 2);
  expect(ask()).toBe(true);
  expect(log().slice(0, 2)).toEqual(["in", "out"]);
});

test("it is asked again after a minute, and says nothing else because it is asked", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const { ask, log } = asked("echo in >>~/log");
  for (const times of [1, 2, 3]) {
    await until("an answer", () => {
      expect(ask()).toBe(false);
      return log().length >= times;
    });
    vi.advanceTimersByTime(59_000);
    for (let looks = 0; looks < 3; looks++) expect(ask()).toBe(false);
    expect(log()).toHaveLength(times);
    vi.advanceTimersByTime(2_000);
  }
});

test("a wall clock that is set moves nothing", async () => {
  const { watch } = begun({
    kept: { boot: boot(), order: { cpuBelow: 1 }, busyAt: uptime() - 600, lookedAt: uptime() },
  });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(watch.quiet?.seconds).toBeGreaterThanOrEqual(600);
  expect(watch.quiet?.seconds).toBeLessThan(700);
});

test("an agent that starts anew goes on where the former one ended, when that is not long ago", async () => {
  const seen = { boot: boot(), order: { cpuBelow: 1 }, busyAt: uptime() - 900, by: "gpu" };
  const soon = begun({ kept: { ...seen, lookedAt: uptime() - 30 } });
  await until("a look", () => readFileSync(soon.record, "utf8").includes(`"lookedAt":${Math.floor(uptime())}`));
  expect(soon.watch.quiet).toMatchObject({ seconds: expect.closeTo(900, -2), by: "gpu" });
  const late = begun({ kept: { ...seen, lookedAt: uptime() - 200 } });
  await until("the time in which nobody looked to count as busy", () => (late.watch.quiet?.seconds ?? 900) < 100);
  const other = begun({ kept: { ...seen, boot: "another", lookedAt: uptime() } });
  expect(other.watch.quiet).toBeUndefined();
  expect(begun({ kept: "cut off" }).watch.quiet).toBeUndefined();
});

test("after a restart, what the command says is not known before it has answered", async () => {
  const text = "echo up >>~/up; until [ -e ~/go ]; do sleep 0.02; done";
  const { watch, path } = begun({
    smi: 'echo x >>"$(dirname $0)/home/asked"; echo 0',
    kept: { boot: boot(), order: { command: text, gpuBelow: 0.5 }, busyAt: uptime() - 90, lookedAt: uptime() - 90 },
  });
  await until("some looks", () => existsSync(path("up")) && lines(path("asked")).length >= 3);
  expect(watch.quiet?.seconds).toBeLessThan(60);
  writeFileSync(path("go"), "");
  await until("its answer", () => (watch.quiet?.seconds ?? 0) >= 90);
});

test("other things to be watched begin anew; the same again do not", async () => {
  const { watch } = begun({
    kept: { boot: boot(), order: { cpuBelow: 1 }, busyAt: uptime() - 900, lookedAt: uptime() },
  });
  watch.heard({ cpuBelow: 1 });
  expect(watch.quiet?.seconds).toBeGreaterThanOrEqual(900);
  watch.heard({ cpuBelow: 1, sessions: true });
  expect(watch.quiet).toEqual({ seconds: 0 });
});

test("orders with a watch are read", () => {
  const orders = { now: 1, assignments: [], held: [], revoked: [], pollAfter: 1 };
  const more = { ...orders, watch: { sessions: true, cpuBelow: 0.1, gpuBelow: 0.2, command: "true" } };
  expect(Orders.parse(more)).toEqual(more);
});
