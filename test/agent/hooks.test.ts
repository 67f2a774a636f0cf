/** What is run before a machine goes; agents and what they run are real, the control plane is a server of our own. */
import { Orders, Poll } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { murder } from "./support/bench.ts";
import { opened, over, said } from "./support/hooked.ts";
import { until } from "./support/until.ts";

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

test.concurrent("a killed agent's successor ends what was begun, does not run it again, and says that it is over", async () => {
  await using bench = await opened("echo x >>~/ran; exec sleep 1000");
  const first = await bench.agent();
  await until("it to begin", () => bench.read("ran") === "x\n");
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

test("orders with a hook are read", () => {
  const orders = { now: 1, assignments: [], held: [], revoked: [], pollAfter: 1 };
  const more = { ...orders, hook: { id: "a", run: "true", timeout: 5, env: { A: "b" } } };
  expect(Orders.parse(more)).toEqual(more);
});
