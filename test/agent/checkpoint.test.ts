/**
 * Checkpoints of jobs that real agents run, each in a home of its own that stands for a machine; the control plane is a
 * server of ours, and the store is the local adapter of blobs.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listOf, newest, rootOf } from "@muster/core/checkpoint/checkpoint.ts";
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { Depot } from "./support/depot.ts";
import { Machine } from "./support/machine.ts";
import { until } from "./support/until.ts";

const ROOT = rootOf("w", "job_a", 0);

/** A machine whose control plane hands out what is in the store. */
async function host(depot: Depot, lives?: () => number): Promise<Bench> {
  const bench = await Bench.open();
  bench.plane.onCheckpoint = async ask => [200, await depot.give(ask, lives?.())];
  return bench;
}

/** Runs a try to its end. */
async function attempt(bench: Bench, depot: Depot, fence: number, run: string, path = "~/ckpt") {
  bench.plane.assign("job_a", { fence, run, checkpoint: await depot.checkpoint("job_a", fence, path) });
  if (existsSync(bench.home.sock)) await bench.kick();
  else await bench.agent();
  return bench.exit("job_a", fence);
}

const last = async (depot: Depot) => (await newest(depot.blobs, ROOT, 1))[0];

async function held(depot: Depot): Promise<Record<string, string>> {
  const generation = await last(depot);
  if (generation === undefined) return {};
  const { entries } = await depot.manifest(listOf(ROOT, generation), ROOT);
  const texts = entries.map(async entry => [entry.path, entry.link ?? (await depot.bytes(entry)).toString()] as const);
  return Object.fromEntries(await Promise.all(texts));
}

test.concurrent("the next try finds the folder as it was left, on another machine, and sends only what it changes", async () => {
  await using depot = await Depot.open();
  await using first = await host(depot);
  await using second = await host(depot);
  const write = [
    'cd "$MUSTER_CHECKPOINT_DIR"; mkdir -p s/1 "odd\nname"; echo one >s/1/w; : >empty; ln -s s/1 latest; ln -s "$PWD/empty" abs',
    "(cd odd*; printf x >$'\\xff'); chmod 640 s/1/w; touch -d @1700000000 s/1/w; exit 7",
  ].join("\n");
  expect(await attempt(first, depot, 1, write)).toMatchObject({ exitCode: 7 });
  const before = await depot.manifest(listOf(ROOT, { fence: 1, number: 1 }), ROOT);
  expect(before.end).toMatchObject({ files: 5, failed: 0 });
  const read = [
    "cd ~/ckpt; cat s/1/w; stat -c '%a %Y' s/1/w; readlink latest abs; cat odd*/$'\\xff'; stat -c %s empty",
    'echo two >s/2; ls -d "$MUSTER_CHECKPOINT_DIR"/latest/w >/dev/null',
  ].join("\n");
  const posts = depot.posts;
  expect(await attempt(second, depot, 2, read)).toMatchObject({ exitCode: 0 });
  expect(second.plane.log("job_a", "run", 2)).toBe("one\n640 1700000000\ns/1\nempty\nx0\n");
  expect(second.plane.log("job_a", "muster", 2)).toContain("checkpoint: 5 files are back, 5 B\n");
  expect(await last(depot)).toEqual({ fence: 2, number: 1 });
  const after = await depot.manifest(listOf(ROOT, { fence: 2, number: 1 }), ROOT);
  const keys = (path: string, { entries }: typeof after) => entries.find(entry => entry.path === path)?.pieces;
  expect(keys("s/1/w", after)).toEqual(keys("s/1/w", before));
  // The new file, the list and its end.
  expect(depot.posts - posts).toBe(3);
  // A job that has ended well leaves nothing behind.
  expect(readdirSync(second.home.jobs).filter(name => name === "ckpt")).toEqual([]);
  expect(existsSync(join(second.home.jobs, "muster", ".checkpoints", "job_a-0"))).toBe(false);
});

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
  await attempt(one, depot, 4, add(4));
  expect([one.plane.log("job_a", "run", 4), asked]).toEqual(["2\n3\n", [4]]);
  expect(await held(depot)).toEqual({ 2: "2\n", 3: "3\n", 4: "4\n" });
});

test.concurrent("a state that did not get home whole is never gone on from", async () => {
  await using depot = await Depot.open();
  await using first = await host(depot);
  await using second = await host(depot);
  await attempt(first, depot, 1, "echo good >~/ckpt/w; exit 1");
  depot.room = depot.posts + 2;
  const write = "echo bad >~/ckpt/w; for i in 1 2 3 4; do echo $i >~/ckpt/$i; done; exit 1";
  first.plane.assign("job_a", { fence: 2, run: write, checkpoint: await depot.checkpoint("job_a", 2, "~/ckpt") });
  await first.kick();
  await until("uploads to wait", () => depot.waiting > 0);
  await until("some to be there", async () => (await depot.blobs.list(`${ROOT}00000002/files/`)).length === 2);
  for (const agent of first.agents()) await murder(agent);
  expect(await last(depot)).toEqual({ fence: 1, number: 1 });
  depot.open();
  await attempt(second, depot, 3, "cat ~/ckpt/*; exit 1");
  expect(second.plane.log("job_a", "run", 3)).toBe("good\n");
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

test.concurrent("other jobs do not see it, also at the same place and time; nor may it be where others' files are", async () => {
  await using depot = await Depot.open();
  await using bench = await host(depot);
  const checkpoint = (id: string) => depot.checkpoint(id, 1, "~/ckpt");
  const wait =
    'echo mine >"$MUSTER_CHECKPOINT_DIR/$MUSTER_ATTEMPT"; echo ready; until [ -e ~/go ]; do sleep 0.02; done; ls "$MUSTER_CHECKPOINT_DIR"; exit 1';
  for (const id of ["job_a", "job_b"]) bench.plane.assign(id, { run: wait, checkpoint: await checkpoint(id) });
  await bench.agent();
  for (const id of ["job_a", "job_b"]) await until("it to run", () => bench.plane.log(id).includes("ready"));
  bench.write("go");
  for (const id of ["job_a", "job_b"]) await bench.exit(id);
  for (const id of ["job_a", "job_b"]) expect(bench.plane.log(id, "run")).toBe(`ready\n${id}-1\n`);
  mkdirSync(join(bench.home.jobs, "data"));
  writeFileSync(join(bench.home.jobs, "data/x"), "theirs");
  bench.plane.assign("job_c", { run: "true", checkpoint: await depot.checkpoint("job_c", 1, "~/data") });
  await bench.kick();
  const why = "checkpoint ~/data: this folder has files on the host that are not the job's; name another";
  expect(await bench.exit("job_c")).toMatchObject({ cause: "inputs_failed", message: why });
});

test.concurrent("a folder in the workdir outlives it", async () => {
  await using depot = await Depot.open();
  await using bench = await host(depot);
  await attempt(bench, depot, 1, "echo one >ckpt/w; exit 1", "ckpt");
  await attempt(bench, depot, 2, "cat ckpt/w; exit 1", "ckpt");
  expect(bench.plane.log("job_a", "run", 2)).toBe("one\n");
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
