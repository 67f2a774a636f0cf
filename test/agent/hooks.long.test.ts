/**
 * What is run before a machine goes, when something is in its way; agents and what they run are real, the control plane is a
 * server of our own.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { codeOf, murder } from "./support/bench.ts";
import { opened, over } from "./support/hooked.ts";
import { until } from "./support/until.ts";

test.concurrent("nothing is said before it is over, and a word that is lost is said again", async () => {
  await using bench = await opened("touch ~/began; until [ -e ~/go ]; do sleep 0.02; done");
  await bench.agent();
  await until("it to begin", () => bench.read("began") !== undefined);
  const polls = bench.plane.polls.length;
  await until("more polls", () => bench.plane.polls.length >= polls + 3);
  expect(bench.plane.polls.every(poll => poll.hooked === undefined)).toBe(true);
  bench.plane.faults.set("poll", "cut");
  bench.write("go");
  await until("its end", () => bench.agentLog().includes("a hook has ended"));
  bench.plane.faults.clear();
  expect(await over(bench)).toEqual({ id: "hook_a", exitCode: 0 });
});

test.concurrent("at its limit it is asked to end, and its code is told", async () => {
  await using bench = await opened("trap 'echo saved >~/saved; exit 7' TERM; while :; do sleep 0.05; done", {
    timeout: 1,
  });
  await bench.agent();
  expect(await over(bench)).toEqual({ id: "hook_a", exitCode: 7 });
  expect(bench.read("saved")).toBe("saved\n");
  expect(bench.processes()).toEqual([]);
});

test.concurrent("an agent that was killed after its end remembers it", async () => {
  await using bench = await opened("echo x >>~/ran; exit 4");
  const first = await bench.agent();
  await over(bench);
  await murder(first);
  const polls = bench.plane.polls.length;
  bench.start();
  const next = await until("its successor", () => bench.plane.polls[polls]);
  expect(next.hooked).toEqual({ id: "hook_a", exitCode: 4 });
  expect(bench.read("ran")).toBe("x\n");
});

test.concurrent("it waits until no attempt runs any more", async () => {
  await using bench = await opened("echo hook >>~/order");
  bench.plane.assign("job_a", {
    run: "trap 'sleep 0.5; echo job >>~/order; exit' TERM; touch ~/began; while :; do sleep 0.05; done",
    grace: 10,
  });
  const { hook } = bench.plane;
  bench.plane.hook = undefined;
  await bench.agent();
  await until("the job", () => bench.read("began") !== undefined);
  bench.plane.hook = hook;
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  expect(await over(bench)).toEqual({ id: "hook_a", exitCode: 0 });
  expect(bench.read("order")).toBe("job\nhook\n");
});

test.concurrent("what never begins within its time is over without a code", async () => {
  await using bench = await opened("touch ~/ran", { timeout: 1 });
  bench.plane.assign("job_a", { run: "touch ~/began; exec sleep 1000" });
  const { hook } = bench.plane;
  bench.plane.hook = undefined;
  await bench.agent();
  await until("the job", () => bench.read("began") !== undefined);
  bench.plane.hook = hook;
  expect(await over(bench)).toEqual({ id: "hook_a" });
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("it does not begin before it is written down that it does", async () => {
  await using bench = await opened("echo x >>~/ran");
  const { hook } = bench.plane;
  bench.plane.hook = undefined;
  await bench.agent();
  mkdirSync(bench.home.hook);
  bench.plane.hook = hook;
  await until("a warning", () => bench.agentLog().includes("a hook was not begun"));
  expect(bench.read("ran")).toBeUndefined();
  rmSync(bench.home.hook, { recursive: true });
  await over(bench);
  expect(bench.read("ran")).toBe("x\n");
});

test.concurrent("a machine that goes down meanwhile ends it well", async () => {
  await using bench = await opened(
    "trap 'echo saved >~/saved; exit' TERM; touch ~/began; while :; do sleep 0.05; done",
  );
  const agent = await bench.agent();
  await until("it to begin", () => bench.read("began") !== undefined);
  agent.kill("SIGTERM");
  expect(await codeOf(agent)).toBe(0);
  expect([bench.read("saved"), bench.processes()]).toEqual(["saved\n", []]);
  expect(JSON.parse(readFileSync(bench.home.hook, "utf8"))).toMatchObject({ id: "hook_a", isOver: true });
});

test.concurrent("a control plane that was set back to one that knows no hooks is polled all the same", async () => {
  await using bench = await opened("exit 4");
  bench.plane.watch = { cpuBelow: 1 };
  await bench.agent();
  await over(bench);
  const polls = bench.plane.polls.length;
  bench.plane.isUnheardOf = poll => poll.hooked !== undefined || poll.pulse.quiet !== undefined;
  bench.plane.watch = undefined;
  await until("two polls", () => bench.plane.polls.length >= polls + 2);
  bench.plane.isUnheardOf = () => false;
  expect(await over(bench)).toEqual({ id: "hook_a", exitCode: 4 });
});
