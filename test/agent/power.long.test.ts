/** Machines that end by themselves; the control plane is a server of our own, and powering off writes a file. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { Orders } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

const offFile = (bench: Bench): string => join(bench.home.root, "off");
const deadlineFile = (bench: Bench): string => join(bench.home.root, "run", "deadline");
const flags = (bench: Bench): string[] => [
  "run",
  "--power-off",
  `date +%s%3N >>'${offFile(bench)}'`,
  "--deadline-file",
  deadlineFile(bench),
];

/** When the machine was first powered off, in epoch ms. */
const off = (bench: Bench): number | undefined =>
  existsSync(offFile(bench)) ? Number(readFileSync(offFile(bench), "utf8").split("\n")[0]) || undefined : undefined;
const deadline = (bench: Bench): number | undefined =>
  existsSync(deadlineFile(bench)) ? Number(readFileSync(deadlineFile(bench), "utf8")) : undefined;

async function opened(powerOff: Orders["powerOff"], pollAfter = 200): Promise<Bench> {
  const bench = await Bench.open();
  bench.plane.powerOff = powerOff;
  bench.plane.pollAfter = pollAfter;
  return bench;
}

test.concurrent("a machine whose control plane falls silent powers off, after the time that it was told", async () => {
  await using bench = await opened({ afterSilence: 3 }, 300);
  bench.start(flags(bench));
  await until("fourteen polls, over four seconds", () => bench.plane.polls.length >= 14);
  expect(off(bench)).toBeUndefined();
  bench.plane.faults.set("poll", "cut");
  const before = Date.now();
  expect(await until("the end", () => off(bench))).toBeGreaterThanOrEqual(before + 2_500);
});

test.concurrent("a control plane that answers with errors is silent too", async () => {
  await using bench = await opened({ afterSilence: 1 });
  bench.start(flags(bench));
  await until("a poll", () => bench.plane.polls.length > 0);
  bench.plane.faults.set("poll", 503);
  await until("the end", () => off(bench));
});

test.concurrent("without a command, and without an order, no agent powers off", async () => {
  await using without = await opened({ afterSilence: 1 });
  await using unasked = await opened(undefined);
  without.start(["run"]);
  unasked.start(flags(unasked));
  for (const bench of [without, unasked]) {
    await until("a poll", () => bench.plane.polls.length > 0);
    bench.plane.faults.set("poll", "cut");
    await until("three failures", () => bench.agentLog().split("poll not answered").length > 3);
    bench.plane.faults.clear();
    const polls = bench.plane.polls.length;
    await until("another poll", () => bench.plane.polls.length > polls);
    expect(bench.agentLog()).not.toContain("powers off");
    expect(off(bench)).toBeUndefined();
  }
});

test.concurrent("an attempt that runs holds the machine, and its end is where silence begins", async () => {
  await using bench = await opened({ afterSilence: 2 });
  bench.plane.assign("job_a", { run: "touch ~/began; until [ -e ~/go ]; do sleep 0.02; done; date +%s%3N >~/ended" });
  bench.start(flags(bench));
  await until("the job", () => bench.read("began") !== undefined);
  bench.plane.faults.set("poll", "cut");
  bench.plane.faults.set("report", "cut");
  const first = await until("the deadline", () => deadline(bench));
  await until("the deadline to move on, without the control plane", () => (deadline(bench) ?? 0) >= first + 3);
  expect(off(bench)).toBeUndefined();
  bench.write("go");
  const ended = Number(await until("the job's end", () => bench.read("ended") || undefined));
  expect(await until("the end", () => off(bench))).toBeGreaterThanOrEqual(ended + 1_900);
});

test.concurrent("what is watched holds the machine while it is busy, and no longer", async () => {
  await using busy = await opened({ afterSilence: 2 });
  await using quiet = await opened({ afterSilence: 2 });
  busy.plane.watch = { command: "echo asked >>~/asked; exit 1" };
  quiet.plane.watch = { command: "echo asked >>~/asked; exit 0" };
  for (const bench of [busy, quiet]) {
    bench.start(flags(bench));
    await until("the command", () => bench.read("asked") !== undefined);
    await until("its answer to be home", () => bench.plane.polls.at(-1)?.pulse.quiet !== undefined);
  }
  await until("it to be busy", () => busy.plane.polls.at(-1)?.pulse.quiet?.by === "command");
  for (const bench of [busy, quiet]) bench.plane.faults.set("poll", "cut");
  const first = await until("the deadline", () => deadline(busy));
  await until("the end of the quiet one", () => off(quiet));
  await until("the deadline to move on, without the control plane", () => (deadline(busy) ?? 0) >= first + 3);
  expect(off(busy)).toBeUndefined();
});

test.concurrent("a hook that runs holds the machine until its end", async () => {
  await using bench = await opened({ afterSilence: 2 });
  const run = "touch ~/began; until [ -e ~/go ]; do sleep 0.02; done; date +%s%3N >~/ended";
  bench.plane.hook = { id: "a", run, timeout: 600 };
  bench.start(flags(bench));
  await until("the hook", () => bench.read("began") !== undefined);
  bench.plane.faults.set("poll", "cut");
  const first = await until("the deadline", () => deadline(bench));
  await until("the deadline to move on, without the control plane", () => (deadline(bench) ?? 0) >= first + 3);
  expect(off(bench)).toBeUndefined();
  bench.write("go");
  const ended = Number(await until("the hook's end", () => bench.read("ended") || undefined));
  expect(await until("the end", () => off(bench))).toBeGreaterThanOrEqual(ended + 1_500);
});

test.concurrent("the end of its lifetime waits neither for a hook nor for what is watched", async () => {
  await using bench = await opened({ afterSilence: 600 });
  bench.plane.watch = { command: "exit 1" };
  bench.plane.hook = { id: "a", run: "touch ~/began; exec sleep 1000", timeout: 600 };
  bench.start(flags(bench));
  await until("the hook", () => bench.read("began") !== undefined);
  const at = Date.now() + 1_000;
  bench.plane.powerOff = { afterSilence: 600, at };
  expect(await until("the end", () => off(bench))).toBeGreaterThanOrEqual(at);
});

test.concurrent("once its lifetime is over, the machine's own timer is moved no more, whoever cannot end it", async () => {
  await using bench = await opened({ afterSilence: 600, at: Date.now() + 1_500 });
  bench.start(flags(bench));
  await until("a power-off that does nothing", () => off(bench));
  const last = deadline(bench) ?? Number.NaN;
  const [since, polls] = [uptime(), bench.plane.polls.length];
  await until("seconds of polls", () => uptime() >= since + 4 && bench.plane.polls.length > polls + 5);
  expect(deadline(bench)).toBeLessThanOrEqual(last + 1);
});

test.concurrent("the end of its lifetime waits for no attempt, but lets it end well and tells of it", async () => {
  await using bench = await opened({ afterSilence: 600 });
  bench.plane.assign("job_a", {
    run: "trap 'echo saved; date +%s%3N >~/saved; exit 3' TERM; echo ready; while :; do :; done",
    grace: 10,
  });
  bench.plane.assign("job_b", { run: "trap '' TERM; echo deaf; while :; do sleep 0.1; done", grace: 1 });
  bench.start(flags(bench));
  await until(
    "both to be ready",
    () => bench.plane.log("job_a") === "ready\n" && bench.plane.log("job_b") === "deaf\n",
  );
  const at = Date.now() + 500;
  bench.plane.powerOff = { afterSilence: 600, at };
  const end = await until("the end", () => off(bench));
  expect(end).toBeGreaterThanOrEqual(at + 1_000);
  const saved = Number(bench.read("saved"));
  expect(saved).toBeGreaterThanOrEqual(at - 50);
  expect(bench.plane.exit("job_a")).toMatchObject({
    cause: "host_lost",
    exitCode: 3,
    message: "The host's lifetime was over.",
    logsComplete: true,
  });
  expect(bench.plane.exit("job_b")).toMatchObject({ cause: "host_lost", exitCode: 137 });
  expect(bench.plane.log("job_a", "run")).toBe("ready\nsaved\n");
  expect(bench.processes()).toEqual([]);
  bench.plane.assign("job_c", { run: "touch ~/late" });
  await bench.kick();
  const polls = bench.plane.polls.length;
  await until("more polls", () => bench.plane.polls.length > polls + 2);
  expect(bench.attempts()).toEqual([]);
  expect(bench.read("late")).toBeUndefined();
});

test.concurrent("a killed agent's successor keeps to the lifetime, though nobody tells it again", async () => {
  await using bench = await opened({ afterSilence: 600 });
  bench.plane.assign("job_a", { run: "touch ~/began; exec sleep 1000", grace: 1 });
  const first = bench.start(flags(bench));
  await until("the job", () => bench.read("began") !== undefined);
  const at = Date.now() + 2_000;
  bench.plane.powerOff = { afterSilence: 600, at };
  await until(
    "the order to be kept",
    () => existsSync(bench.home.power) && readFileSync(bench.home.power, "utf8").includes(`${at}`),
  );
  await murder(first);
  bench.plane.faults.set("poll", "cut");
  bench.start(flags(bench));
  await until("the end", () => off(bench), 30_000);
  expect(bench.plane.exit("job_a")).toMatchObject({ cause: "host_lost" });
}, 60_000);

test.concurrent("an order of the machine's former life is forgotten", async () => {
  await using bench = await opened(undefined);
  const agent = await bench.agent();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(agent);
  const former = { boot: "another", orders: { afterSilence: 1, at: Date.now() - 1_000 } };
  writeFileSync(bench.home.power, JSON.stringify(former));
  const polls = bench.plane.polls.length;
  bench.start(flags(bench));
  await until("more polls", () => bench.plane.polls.length > polls + 3);
  expect(bench.agentLog()).not.toContain("powers off");
});

test.concurrent("every answer moves the machine's timer, in seconds since boot, and never past the lifetime", async () => {
  await using bench = await opened({ afterSilence: 1_000 });
  bench.start(flags(bench));
  const margin = 300;
  const first = await until("the deadline", () => deadline(bench));
  expect(Math.abs(first - (uptime() + 1_000 + margin))).toBeLessThan(10);
  await until("it to move", () => (deadline(bench) ?? 0) > first);
  bench.plane.powerOff = { afterSilence: 1_000, at: Date.now() + 100_000 };
  const limited = await until("the limit", () => (deadline(bench) ?? first) < first && deadline(bench));
  expect(Math.abs(limited - (uptime() + 100 + margin))).toBeLessThan(10);
  bench.plane.powerOff = undefined;
  const unlimited = await until("the usual time", () => (deadline(bench) ?? 0) > first + 1_000 && deadline(bench));
  expect(Math.abs(unlimited - (uptime() + 3_600 + margin))).toBeLessThan(10);
});

test.concurrent("a machine that need not end is kept by its living agent, though the control plane is silent", async () => {
  await using bench = await opened(undefined);
  const first = bench.start(flags(bench));
  await until("the deadline", () => deadline(bench));
  await murder(first);
  bench.plane.faults.set("poll", "cut");
  rmSync(deadlineFile(bench));
  bench.start(flags(bench));
  const moved = await until("the deadline to move, without the control plane", () => deadline(bench));
  expect(Math.abs(moved - (uptime() + 3_600 + 300))).toBeLessThan(10);
});

test.concurrent("an agent that was never answered in this life of its machine does not keep it", async () => {
  await using bench = await opened(undefined);
  const agent = await bench.agent();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(agent);
  writeFileSync(bench.home.power, JSON.stringify({ boot: "another" }));
  bench.plane.faults.set("poll", "cut");
  bench.start(flags(bench));
  await until("three failures", () => bench.agentLog().split("poll not answered").length > 3);
  expect(deadline(bench)).toBeUndefined();
});

test.concurrent("a deadline that cannot be written ends nothing", async () => {
  await using bench = await opened({ afterSilence: 1_000 });
  writeFileSync(join(bench.home.root, "run"), "in the way");
  bench.plane.assign("job_a", { run: "echo fine" });
  bench.start(flags(bench));
  await bench.exit("job_a");
  expect(bench.agentLog()).toContain("deadline not moved");
});

test("orders with and without a power-off are read", () => {
  const orders = { now: 1, assignments: [], held: [], revoked: [], pollAfter: 1 };
  expect(Orders.parse(orders)).toEqual(orders);
  const more = { ...orders, powerOff: { afterSilence: 600, at: 5 } };
  expect(Orders.parse(more)).toEqual(more);
});
