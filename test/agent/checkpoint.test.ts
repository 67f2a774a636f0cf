/**
 * Checkpoints of jobs that real agents run, each in a home of its own that stands for a machine; the control plane is a
 * server of ours, and the store is the local adapter of blobs. `test/long` has more.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listOf } from "@muster/core/checkpoint/checkpoint.ts";
import { expect, test } from "vitest";
import { murder } from "./support/bench.ts";
import { Depot } from "./support/depot.ts";
import { attempt, host, last, ROOT } from "./support/tries.ts";
import { until } from "./support/until.ts";

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
