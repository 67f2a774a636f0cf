/** What is run before a machine goes; agents and what they run are real, the control plane is a server of our own. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { Orders, Poll } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

async function opened(run: string, more: { timeout?: number; env?: Record<string, string> } = {}): Promise<Bench> {
  const bench = await Bench.open();
  bench.plane.pollAfter = 100;
  bench.plane.hook = { id: "hook_a", run, timeout: 30, ...more };
  return bench;
}

const said = (bench: Bench): Poll["hooked"] => bench.plane.polls.at(-1)?.hooked;
const over = (bench: Bench, id = "hook_a") =>
  until(`${id} to be over`, () => (said(bench)?.id === id ? said(bench) : undefined));

test.concurrent("a hook runs once, in the home of the jobs, and every poll says how it ended until there is another", async () => {
  const env = { MUSTER_CLUSTER_INFO: '{"cluster_name":"demo"}' };
  await using bench = await opened('echo "$PWD $MUSTER_CLUSTER_INFO" >>~/ran; echo bye; exit 3', { env });
  await bench.agent();
  expect(await over(bench)).toEqual({ id: "hook_a", exitCode: 3 });
  const polls = bench.plane.polls.length;
  await until("more polls", () => bench.plane.polls.length >= polls + 3);
  expect(bench.plane.polls.slice(polls).map(poll => poll.hooked)).toEqual(
    bench.plane.polls.slice(polls).map(() => ({ id: "hook_a", exitCode: 3 })),
  );
  expect(Poll.parse(bench.plane.polls.at(-1))).toEqual(bench.plane.polls.at(-1));
  expect(bench.read("ran")).toBe(`${bench.home.jobs} {"cluster_name":"demo"}\n`);
  expect(bench.agentLog()).toMatch(/"what":"a hook has ended","id":"hook_a","code":3,"isCut":false,"said":"bye\\n"/);
  bench.plane.hook = { id: "hook_b", run: "echo again >>~/ran", timeout: 30 };
  expect(await over(bench, "hook_b")).toEqual({ id: "hook_b", exitCode: 0 });
  expect(bench.read("ran")?.split("\n")).toHaveLength(3);
});

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

test.concurrent("a killed agent's successor ends what was begun, does not run it again, and says that it is over", async () => {
  await using bench = await opened("echo x >>~/ran; exec sleep 1000");
  const first = await bench.agent();
  await until("it to begin", () => bench.read("ran") !== undefined);
  await murder(first);
  expect(bench.processes()).toHaveLength(2);
  const polls = bench.plane.polls.length;
  bench.start();
  await until("a word of it", () => bench.plane.polls.slice(polls).some(poll => poll.hooked !== undefined));
  expect(said(bench)).toEqual({ id: "hook_a" });
  expect([bench.read("ran"), bench.processes()]).toEqual(["x\n", []]);
  const before = bench.plane.polls.length;
  await until("more polls", () => bench.plane.polls.length >= before + 3);
  expect(bench.read("ran")).toBe("x\n");
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

test("orders with a hook are read", () => {
  const orders = { now: 1, assignments: [], held: [], revoked: [], pollAfter: 1 };
  const more = { ...orders, hook: { id: "a", run: "true", timeout: 5, env: { A: "b" } } };
  expect(Orders.parse(more)).toEqual(more);
});
