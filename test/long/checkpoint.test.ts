/**
 * Checkpoints of jobs that real agents run, each in a home of its own that stands for a machine; the control plane is a
 * server of ours, and the store is the local adapter of blobs.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { murder } from "../agent/support/bench.ts";
import { Depot } from "../agent/support/depot.ts";
import { Machine } from "../agent/support/machine.ts";
import { attempt, held, host, last, ROOT } from "../agent/support/tries.ts";
import { until } from "../agent/support/until.ts";

test.concurrent("on the machine that has it, nothing is fetched; one that was overtaken elsewhere is brought forward", async () => {
  await using depot = await Depot.open();
  await using one = await host(depot);
  await using other = await host(depot);
  const asked: number[] = [];
  one.plane.onCheckpoint = async ask => {
    asked.push(ask.fence);
    return [200, await depot.give(ask)];
  };
  const add = (step: number): string => `cat ~/ckpt/* 2>/dev/null || true; echo ${step} >~/ckpt/${step}; exit 1`;
  await attempt(one, depot, 1, add(1));
  await attempt(one, depot, 2, add(2));
  expect([one.plane.log("job_a", "run", 2), asked]).toEqual(["1\n", []]);
  await attempt(other, depot, 3, "rm ~/ckpt/1; echo 3 >~/ckpt/3; exit 1");
  const begun = join(one.home.jobs, "muster/.checkpoints/job_a-0.new-2-9");
  mkdirSync(begun);
  await attempt(one, depot, 4, add(4));
  expect(existsSync(begun)).toBe(false);
  expect([one.plane.log("job_a", "run", 4), asked]).toEqual(["2\n3\n", [4]]);
  expect(await held(depot)).toEqual({ 2: "2\n", 3: "3\n", 4: "4\n" });
});

test.concurrent("an agent that is killed while the last state is on its way sends it when it is back, and then tells the end", async () => {
  await using depot = await Depot.open();
  await using bench = await host(depot);
  depot.room = 1;
  bench.plane.assign("job_a", {
    run: "for i in 1 2 3 4 5 6; do echo $i >~/ckpt/$i; done; exit 3",
    checkpoint: await depot.checkpoint("job_a", 1, "~/ckpt"),
  });
  const agent = await bench.agent();
  await until("uploads to wait", () => depot.waiting > 0);
  await murder(agent);
  depot.open();
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 3 });
  expect(Object.keys(await held(depot))).toEqual(["1", "2", "3", "4", "5", "6"]);
});

test.concurrent("URLs that have ended are asked for again; bytes that are others end the try", async () => {
  await using depot = await Depot.open();
  await using first = await host(depot);
  await attempt(first, depot, 1, "echo good >~/ckpt/w; exit 1");
  const lives = [-1000, 60_000];
  await using second = await host(depot, () => lives.shift() ?? 60_000);
  await attempt(second, depot, 2, "cat ~/ckpt/w; exit 1");
  expect(second.plane.log("job_a", "run", 2)).toBe("good\n");
  const [head] = await depot.blobs.list(`${ROOT}00000001/files/`);
  await depot.blobs.put(head?.key ?? "", Buffer.from("evil\n"));
  await using third = await host(depot);
  expect(await attempt(third, depot, 3, "true")).toMatchObject({
    cause: "inputs_failed",
    message: "the checkpoint's w: what arrived does not have the hash that it should have",
  });
});

test.concurrent("an interruption sends it at once, and the control plane hears of it until it has answered", async () => {
  await using depot = await Depot.open();
  await using of = await Machine.open();
  const { bench, metadata } = of;
  bench.plane.assign("job_a", {
    run: "echo step >~/ckpt/w; echo ready; sleep 1000",
    checkpoint: await depot.checkpoint("job_a", 1, "~/ckpt"),
  });
  of.start();
  await until("the script", () => bench.plane.log("job_a").includes("ready"));
  expect(await last(depot)).toBeUndefined();
  metadata.values.set("spot/instance-action", JSON.stringify({ action: "terminate", time: "2026-11-21T08:22:00Z" }));
  await until("the checkpoint", () => last(depot));
  expect(await held(depot)).toEqual({ w: "step\n" });
  const told = await until("the news", () => bench.plane.polls.findLast(poll => poll.attempts[0]?.sent !== undefined));
  expect(told.attempts).toEqual([{ jobId: "job_a", fence: 1, sent: 1 }]);
  const before = bench.plane.polls.length;
  await bench.kick();
  const next = await until("another poll", () => bench.plane.polls[before]);
  expect(next.attempts).toEqual([{ jobId: "job_a", fence: 1 }]);
});
