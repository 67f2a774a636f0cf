/** What EC2 announces to a machine; the metadata service and the control plane are servers of our own. */
import { Poll } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import type { Bench } from "./support/bench.ts";
import { Machine } from "./support/machine.ts";
import { until } from "./support/until.ts";

const TIME = "2026-11-21T08:22:00Z";

const notices = (bench: Bench): unknown[] => bench.plane.polls.flatMap(poll => poll.notice ?? []);

test.concurrent("a rebalance, then an interruption, are told at once, each until one poll is answered", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  of.start();
  await until("the first poll", () => bench.plane.polls.length === 1);
  metadata.values.set("events/recommendations/rebalance", JSON.stringify({ noticeTime: TIME }));
  await until("the rebalance", () => notices(bench).length > 0);
  await bench.kick();
  await until("a poll without it", () => bench.plane.polls.length >= 3);
  expect(notices(bench)).toEqual([{ kind: "rebalance", at: Date.parse(TIME) }]);
  bench.plane.faults.set("poll", "cut after");
  metadata.values.set("spot/instance-action", JSON.stringify({ action: "terminate", time: TIME }));
  await until("two polls without an answer", () => notices(bench).length >= 3);
  bench.plane.faults.clear();
  const heard = bench.plane.polls.length;
  await until("an answered one", () => bench.plane.polls.length > heard);
  await bench.kick();
  const last = await until("one without it", () =>
    bench.plane.polls.slice(heard).find(poll => poll.notice === undefined),
  );
  expect(Poll.parse(last)).toEqual(last);
  const interruptions = notices(bench).slice(1);
  expect(new Set(interruptions.map(one => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ kind: "interruption", at: Date.parse(TIME) })]),
  );
  for (const poll of bench.plane.polls) expect(Poll.parse(poll)).toEqual(poll);
});

test.concurrent("a control plane that does not know notices is polled without them", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  metadata.values.set("spot/instance-action", JSON.stringify({ action: "stop" }));
  bench.plane.faults.set("poll", 400);
  of.start();
  await until("the refusal", () => bench.agentLog().includes("notice of EC2") && bench.agentLog().includes("HTTP 400"));
  bench.plane.faults.clear();
  await until("polls", () => bench.plane.polls.length > 0);
  await bench.kick();
  await until("a poll without a notice", () => bench.plane.polls.at(-1)?.notice === undefined);
});

test.concurrent("a machine that is not on the spot market asks once, and one whose metadata fails asks on", async () => {
  await using demand = await Machine.open();
  demand.metadata.values.set("instance-life-cycle", "on-demand");
  await using spot = await Machine.open();
  demand.start();
  spot.start();
  for (const { bench } of [demand, spot]) await until("a poll", () => bench.plane.polls.length > 0);
  spot.metadata.fault = "cut";
  await until("a failure", () => spot.bench.agentLog().includes("notices not read"));
  spot.metadata.fault = undefined;
  spot.metadata.values.set("spot/instance-action", "no JSON");
  await until("a second failure", () => spot.bench.agentLog().split("notices not read").length > 2);
  spot.metadata.values.set("spot/instance-action", JSON.stringify({ action: "terminate", time: TIME }));
  await until("the notice", () => notices(spot.bench).length > 0);
  expect(demand.metadata.asked.filter(path => path.startsWith("spot/"))).toEqual([]);
});
