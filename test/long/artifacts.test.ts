/**
 * From a job that is killed to its artifacts on the user's disk: the command line in processes of its own, the real control
 * plane in this one, real agents, real jobs.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";
import { ended, type InProcess, inState, launch, logOf, openPlane } from "../support/plane.ts";

let plane: InProcess;
let home: Home;
let work: string;
beforeAll(async () => {
  plane = await openPlane();
  home = new Home({ MUSTER_ENDPOINT: plane.url, MUSTER_TOKEN: plane.token });
  work = mkdtempSync(join(tmpdir(), "muster-artifacts-"));
});
afterAll(async () => {
  await plane.close();
  await home[Symbol.asyncDispose]();
  rmSync(work, { recursive: true, force: true });
});

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("a job that is killed goes on from its checkpoint on the next try, and what it leaves comes home byte for byte", {
  timeout: 120_000,
}, async () => {
  const run = [
    'cd "$MUSTER_CHECKPOINT_DIR"; n=$(cat step 2>/dev/null || echo 0); echo "from $n"; n=$((n + 1))',
    "echo $n >next; mv next step; cd ~/sky_workdir; mkdir -p results/deep",
    "head -c 300000 /dev/urandom >results/model.bin; sha256sum results/model.bin | cut -c1-64",
    "printf odd >$'results/deep/odd\\n\\x1b[31m name'; ln -s model.bin results/latest; [ $n -ge 3 ] || kill -9 $$",
  ];
  const file = join(work, "task.yaml");
  const lines = run.map(line => `  ${line}\n`).join("");
  writeFileSync(
    file,
    `outputs: results\ncheckpoint: ~/ckpt\nretry: { max: 3, on: [exit_code], backoff: 0s }\nrun: |\n${lines}`,
  );
  const launched = await home.run("launch", file, "-c", "art", "--yes");
  expect([launched.code, launched.err]).toEqual([
    0,
    expect.stringMatching(/outputs: 3 files, 300.0 kB: muster artifacts get job_/),
  ]);
  const id = /muster artifacts get (job_\w+)/.exec(launched.err)?.[1] ?? "";
  const job = await plane.api.jobs.get({ params: { job: id } });
  expect(job).toMatchObject({ state: "succeeded", attempts: 3, outputs: { files: 3, bytes: 300_003, failed: 0 } });
  const said = await logOf(plane, job, { phase: "run" });
  const [, hash] = /from 2\n([0-9a-f]{64})\n/.exec(said) ?? [];
  const listed = await home.run("artifacts", "list", id);
  expect(listed).toMatchObject({ code: 0 });
  expect(listed.out.split("\n").map(line => line.replace(/^.*:\d\d {2}/, ""))).toEqual([
    "results/latest -> model.bin",
    "results/model.bin",
    String.raw`"results/deep/odd\n\u001b[31m name"`,
    "",
  ]);
  const into = join(work, "got");
  expect(await home.run("artifacts", "get", id, "-o", into)).toMatchObject({ code: 0, out: `${into}\n` });
  expect(sha256(readFileSync(join(into, "results/model.bin")))).toBe(hash);
  expect(sha256(readFileSync(join(into, "results/latest")))).toBe(hash);
  expect(readFileSync(join(into, "results/deep/odd\n\u001b[31m name"), "utf8")).toBe("odd");
  const again = await home.json<{ here: number; files: number }>("artifacts", "get", id, "-o", into);
  expect(again).toMatchObject({ here: 3, files: 0 });
  // Of the first try, which was killed.
  const first = join(work, "first");
  expect(await home.run("artifacts", "get", id, "*.bin", "--attempt", "1", "-o", first)).toMatchObject({ code: 0 });
  const [, other] = /from 0\n([0-9a-f]{64})\n/.exec(await logOf(plane, job)) ?? [];
  if (other !== undefined) expect(sha256(readFileSync(join(first, "results/model.bin")))).toBe(other);
  expect(readdirSync(join(first, "results"))).toEqual(["model.bin"]);
  const state = join(work, "state");
  expect(await home.run("artifacts", "get", id, "--checkpoint", "-o", state)).toMatchObject({ code: 0 });
  expect(readFileSync(join(state, "step"), "utf8")).toBe("3\n");
});

test("what is there is replaced only when that is wanted; nothing is written through links, or elsewhere", {
  timeout: 60_000,
}, async () => {
  const task = { run: "mkdir -p out/sub; echo new >out/a; echo b >out/sub/b; exit 3", outputs: ["out"] };
  const job = await launch(plane, "art", task);
  expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 3, outputs: { files: 2, failed: 0 } });
  const into = join(work, "safe");
  mkdirSync(join(into, "out"), { recursive: true });
  writeFileSync(join(into, "out/a"), "mine");
  const refused = await home.run("artifacts", "get", job.id, "-o", into);
  expect([refused.code, refused.err]).toEqual([
    120,
    expect.stringMatching(/1 file in .* would be replaced: out\/a: this needs --yes/),
  ]);
  expect(readFileSync(join(into, "out/a"), "utf8")).toBe("mine");
  expect(existsSync(join(into, "out/sub"))).toBe(false);
  expect(await home.run("artifacts", "get", job.id, "out/a", "-o", into, "--yes")).toMatchObject({ code: 0 });
  expect(readFileSync(join(into, "out/a"), "utf8")).toBe("new\n");
  const elsewhere = join(work, "elsewhere");
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(into, "out/sub"));
  const through = await home.run("artifacts", "get", job.id, "-o", into, "--yes");
  expect([through.code, through.err]).toEqual([123, expect.stringContaining("out/sub is a link")]);
  expect(readdirSync(elsewhere)).toEqual([]);
  const nothing = await home.run("artifacts", "get", job.id, "*.nope", "-o", into);
  expect([nothing.code, nothing.err]).toEqual([122, expect.stringContaining("has kept nothing")]);
  expect((await home.run("artifacts", "list", job.id, "--attempt", "9")).code).toBe(122);
});

test("two thousand files of two nodes come home, each node's in a folder of its own", {
  timeout: 180_000,
}, async () => {
  const run = 'mkdir out; for i in $(seq 1 1000); do echo "$MUSTER_NODE_RANK $i" >out/$i; done';
  const job = await launch(plane, "pair", { run, outputs: ["out"], nodes: 2 });
  await inState(plane, job, "running", "succeeded");
  expect(await ended(plane, job)).toMatchObject({ state: "succeeded", outputs: { files: 2000, failed: 0 } });
  const into = join(work, "many");
  expect(await home.run("artifacts", "get", job.id, "-o", into)).toMatchObject({ code: 0 });
  for (const rank of [0, 1]) {
    const folder = join(into, `rank-${rank}/out`);
    expect(readdirSync(folder)).toHaveLength(1000);
    for (const i of [1, 500, 501, 1000]) expect(readFileSync(join(folder, `${i}`), "utf8")).toBe(`${rank} ${i}\n`);
  }
  const one = join(work, "one");
  expect(await home.run("artifacts", "get", job.id, "--rank", "1", "out/7", "-o", one)).toMatchObject({ code: 0 });
  expect(readFileSync(join(one, "out/7"), "utf8")).toBe("1 7\n");
});

test("a large file goes home and comes back without being held in memory", { timeout: 180_000 }, async () => {
  const run =
    'mkdir out; head -c 300000000 /dev/urandom >out/large; sha256sum out/large | cut -c1-64; echo "pid $(pgrep -f "__agent run --home $(dirname ~)")"';
  const job = await launch(plane, "big", { run, outputs: ["out"] });
  await inState(plane, job, "running", "succeeded");
  expect(await ended(plane, job)).toMatchObject({ outputs: { files: 1, bytes: 300_000_000 } });
  const said = await logOf(plane, job, { phase: "run" });
  const pid = /pid (\d+)/.exec(said)?.[1] ?? "";
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  expect(peak).toBeGreaterThan(10_000);
  expect(peak).toBeLessThan(150_000);
  const into = join(work, "large");
  expect(await home.run("artifacts", "get", job.id, "-o", into)).toMatchObject({ code: 0 });
  expect(statSync(join(into, "out/large")).size).toBe(300_000_000);
  expect(said).toContain(sha256(readFileSync(join(into, "out/large"))));
});
