/** What keeps a machine besides its jobs; agents and what they run are real, the control plane is a server of our own. */
import { Poll } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

test("an agent says it with every poll, in words that the control plane reads, and so does its successor", async () => {
  await using bench = await Bench.open();
  bench.plane.pollAfter = 200;
  const first = bench.start();
  await until("a poll", () => bench.plane.polls.length > 0);
  expect(bench.plane.polls[0]?.pulse.quiet).toBeUndefined();
  bench.plane.watch = { command: "test ! -e ~/busy" };
  await until("two seconds", () => (bench.plane.polls.at(-1)?.pulse.quiet?.seconds ?? 0) >= 2);
  await murder(first);
  const polls = bench.plane.polls.length;
  bench.start();
  const next = await until("its successor", () => bench.plane.polls[polls]);
  expect(next.pulse.quiet?.seconds).toBeGreaterThanOrEqual(2);
  expect(Poll.parse(next)).toEqual(next);
  bench.plane.watch = undefined;
  await until("it to be left", () => bench.plane.polls.at(-1)?.pulse.quiet === undefined);
});

test("what the command has started goes with a machine that is switched off", async () => {
  await using bench = await Bench.open();
  bench.plane.watch = { command: "touch ~/up; exec sleep 1000" };
  await bench.agent();
  await until("the command", () => bench.read("up") !== undefined && bench.processes().length > 0);
  expect(await bench.command("kill")).toBe(0);
  expect(bench.processes()).toEqual([]);
});

test("nor does it outlive an agent that ends, whether it listens or not", async () => {
  await using bench = await Bench.open();
  bench.plane.watch = { command: "trap '' TERM; touch ~/up; while :; do sleep 0.05; done" };
  const agent = await bench.agent();
  await until("the command", () => bench.read("up") !== undefined);
  agent.kill("SIGTERM");
  expect(await codeOf(agent)).toBe(0);
  expect(bench.processes()).toEqual([]);
});
