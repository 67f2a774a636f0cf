/**
 * What is kept of jobs that real agents run, in processes of their own; the control plane is a server of ours, and the store
 * is the local adapter of blobs.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Poll } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { Depot } from "./support/depot.ts";
import { until } from "./support/until.ts";

const P = "outputs/w/job_a/00000001/00000/";

test.concurrent("files, folders and patterns are kept with their bytes, times and modes", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  const elsewhere = mkdtempSync(join(tmpdir(), "ma-out-"));
  const run = [
    "mkdir -p results/deep ~/plots empty; echo one >results/a.json; echo two >results/deep/b.json; echo no >results/c.txt",
    "printf 'x' >~/plots/p.png; chmod 750 ~/plots/p.png; touch -d @1700000000 ~/plots/p.png; : >single",
    `echo out >${elsewhere}/o; ln -s ../a.json results/deep/link; ln -s $PWD/results/a.json results/deep/absolute`,
    "ln -s /etc/passwd ~/plots/passwd; ln -s ../../.. ~/plots/up; mkfifo ~/plots/pipe; truncate -s 1M ~/plots/sparse",
  ].join("\n");
  const places = ["results/**/*.json", "results/deep", "~/plots/", elsewhere, "single", "nowhere", "empty", "no/*/x"];
  bench.plane.assign("job_a", { run, outputs: await depot.outputs(P, ...places) });
  await bench.agent();
  const exit = await bench.exit("job_a");
  const name = elsewhere.split("/").at(-1);
  const { end, entries } = await depot.manifest(`${P}list/`, P);
  const { "plots/sparse": sparse, ...texts } = await depot.texts(P);
  expect([sparse?.length, sparse?.replaceAll("\0", "")]).toEqual([1_048_576, ""]);
  expect(entries.map(entry => entry.path).toSorted()).toEqual([...Object.keys(texts), "plots/sparse"].toSorted());
  expect(texts).toEqual({
    "results/a.json": "one\n",
    "results/deep/b.json": "two\n",
    "results/deep/link": "../a.json",
    "results/deep/absolute": "../../results/a.json",
    "plots/p.png": "x",
    [`${name}/o`]: "out\n",
    single: "",
  });
  const photo = entries.find(entry => entry.path === "plots/p.png");
  const sha256 = createHash("sha256").update("x").digest("hex");
  expect(photo).toMatchObject({ mode: 0o750, mtime: 1_700_000_000_000, size: 1, sha256 });
  expect(end).toMatchObject({ files: entries.length, failed: 0 });
  expect(exit.outputs).toEqual({ files: end?.files, bytes: end?.bytes, failed: 0 });
  const log = bench.plane.log("job_a", "muster");
  expect(log).toContain("outputs: there is nothing at nowhere\n");
  expect(log).toContain("2 links that lead out of their folder, 1 pipes, sockets and devices");
  rmSync(elsewhere, { recursive: true });
});

test.concurrent("a job that fails, runs out of time or is cancelled keeps what it has by then", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  const run = "mkdir out; echo half >out/a; echo ready; sleep 1000";
  const prefix = (id: string): string => P.replace("job_a", id);
  const keep = (id: string) => depot.outputs(prefix(id), "out");
  bench.plane.assign("job_f", { run: "mkdir out; echo half >out/a; exit 3", outputs: await keep("job_f") });
  bench.plane.assign("job_t", { run, timeout: 1, outputs: await keep("job_t") });
  bench.plane.assign("job_c", { run, outputs: await keep("job_c") });
  await bench.agent();
  await until("the script", () => bench.plane.log("job_c").includes("ready"));
  bench.plane.held = [{ jobId: "job_c", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  for (const [id, cause] of [
    ["job_f", "exited"],
    ["job_t", "timed_out"],
    ["job_c", "cancelled"],
  ] as const) {
    expect(await bench.exit(id)).toMatchObject({ cause, outputs: { files: 1, bytes: 5, failed: 0 } });
    expect(await depot.texts(prefix(id))).toEqual({ "out/a": "half\n" });
  }
});

test.concurrent("a link whose target has what some take for the end of a line is kept", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  const run = "mkdir out; ln -s 'a\u2028b\u2029c' out/link; echo x >out/x";
  bench.plane.assign("job_a", { run, outputs: await depot.outputs(P, "out") });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ outputs: { files: 2, bytes: 2, failed: 0 } });
  expect(await depot.texts(P)).toEqual({ "out/link": "a\u2028b\u2029c", "out/x": "x\n" });
});

test.concurrent("a job whose inputs could not be had keeps nothing: what is there is not its own", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  bench.plane.assign("job_a", { run: "mkdir -p ~/out; echo mine >~/out/a" });
  await bench.agent();
  await bench.exit("job_a");
  const gone = { kind: "file" as const, url: `${bench.plane.url}/inputs/none`, sha256: "0".repeat(64), path: "x" };
  bench.plane.assign("job_b", { run: "true", mounts: [gone], outputs: await depot.outputs(P, "~/out") });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "inputs_failed" });
  expect(bench.plane.exit("job_b")).not.toHaveProperty("outputs");
  expect(await depot.blobs.list("outputs/")).toEqual([]);
});

test.concurrent("an agent that is killed in the middle goes on with what is not there yet; the end is told last", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  const run = "mkdir out; for i in $(seq 1 40); do echo $i >out/$i; done; exit 4";
  bench.plane.assign("job_a", { run, outputs: await depot.outputs(P, "out") });
  depot.room = 20;
  const first = await bench.agent();
  await until("uploads to wait", () => depot.waiting > 0);
  expect((await depot.manifest(`${P}list/`, P)).end).toBeUndefined();
  expect(bench.plane.exit("job_a")).toBeUndefined();
  await murder(first);
  depot.open();
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 4, outputs: { files: 40, failed: 0 } });
  const numbers = Array.from({ length: 40 }, (_, index) => [`out/${index + 1}`, `${index + 1}\n`]);
  expect(await depot.texts(P)).toEqual(Object.fromEntries(numbers));
  // At most those that were on their way came twice; the list has two blobs.
  expect(depot.posts).toBeLessThanOrEqual(40 + 2 + 4 + 4);
});

test.concurrent("a grant that ends is asked for again, and a store that is away for a while is waited for", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  const { places } = await depot.outputs(P, "out");
  const policy = await depot.policy(P, { expiresAt: Date.now() - 1000 });
  bench.plane.assign("job_a", { run: "mkdir out; echo a >out/a", outputs: { places, policy } });
  await bench.agent();
  const asked = await until("a poll that asks", () => bench.plane.polls.find(poll => poll.attempts[0]?.wants));
  expect(asked.attempts).toEqual([{ jobId: "job_a", fence: 1, wants: ["outputs"] }]);
  expect(Poll.parse(asked)).toEqual(asked);
  depot.fault = "cut";
  bench.plane.held = [{ jobId: "job_a", fence: 1, outputs: await depot.policy(P) }];
  await bench.kick();
  await until("an upload to have failed", () => bench.agentLog().includes("blob not sent"));
  depot.fault = undefined;
  expect(await bench.exit("job_a", 1, 30_000)).toMatchObject({ outputs: { files: 1, failed: 0 } });
  expect(await depot.texts(P)).toEqual({ "out/a": "a\n" });
});

test.concurrent("what the store refuses is named in the log, and does not keep the job from its end", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  bench.plane.assign("job_a", { run: "mkdir out; echo a >out/a", outputs: await depot.outputs(P, "out") });
  depot.fault = 400;
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0, outputs: { files: 0, failed: 1 } });
  expect(bench.plane.log("job_a", "muster")).toContain('outputs: "out/a" is not kept: the store answered 400\n');
});

test.concurrent("an attempt that is revoked keeps nothing more", async () => {
  await using bench = await Bench.open();
  await using depot = await Depot.open();
  bench.plane.assign("job_a", { run: "mkdir out; echo a >out/a", outputs: await depot.outputs(P, "out") });
  depot.room = 0;
  await bench.agent();
  await until("an upload to wait", () => depot.waiting > 0);
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  bench.plane.assignments = [];
  await bench.kick();
  await until("the folder to be gone", () => bench.attempts().length === 0);
  depot.open();
  expect(bench.plane.exit("job_a")).toBeUndefined();
  expect((await depot.manifest(`${P}list/`, P)).end).toBeUndefined();
});
