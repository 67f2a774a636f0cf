/**
 * What commands about jobs say, write and exit with: the command line against the real embedded control plane, whose server,
 * agents and jobs are processes on this machine.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as Job from "@muster/core/job/job.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";

let home: Home;
beforeAll(async () => {
  home = new Home();
  expect((await home.run("up", "-c", "one")).code).toBe(0);
}, 60_000);
afterAll(() => home[Symbol.asyncDispose](), 60_000);

const file = (name: string, text: string): string => {
  const path = join(home.path, name);
  writeFileSync(path, text);
  return path;
};
const submit = async (...args: string[]): Promise<string> => {
  const { out, err } = await home.run("run", "-c", "one", "-d", ...args);
  if (out === "") throw new Error(err);
  return out.trim();
};

describe("many runs", () => {
  test("as a step of a pipeline are waited for, and the next step follows", async () => {
    const steps = file(
      "steps.yaml",
      `name: many\nresources: { cpus: 1 }\nruns: 3\nrun: "true"\n---\nname: then\nrun: echo then\n`,
    );
    const { code, out, err } = await home.run("run", steps, "-c", "one");
    expect([code, out]).toEqual([0, "then\n"]);
    expect(err).toContain("3 of 3 done");
    const left = await home.run("run", steps, "-c", "one", "-d");
    expect(left.err).toMatch(/muster jobs --array job_\w{26} {2}many\n.*muster logs -f job_\w{26} {2}then/);
  });

  test("are filtered, put in order and written as CSV like other jobs, with their values", async () => {
    const sweep = ["--sweep", "lr=1,2,3", "--resources.cpus", "1", "--run", '[ "$lr" != 2 ]'];
    const log = join(home.path, "runs.log");
    const { err } = await home.run("run", "-c", "one", ...sweep, "--output-filepath", log);
    expect(err).toContain("many runs have no one log");
    const [, id = ""] = /array (job_\w{26})/.exec(err) ?? [];
    const jobs = async (...args: string[]) => (await home.run("jobs", "--array", id, ...args)).out;
    expect(await jobs("--state", "failed", "--csv")).toMatch(
      new RegExp(`^job,state,exit,tries,took,lr\r\n${id}\\.1,failed,1,1,[\\d.]+,2\n$`),
    );
    expect((await jobs("--columns", "values,exit", "--sort", "-exit")).split("\n").slice(0, 2)).toEqual([
      "VALUES  EXIT",
      "lr=2    1",
    ]);
    expect(await jobs("--group-by", "state")).toMatch(/succeeded\nJOB[\s\S]*\nfailed\nJOB/);
    expect(await jobs("--state", "running")).toContain("No run is like that.");
    expect((await home.run("jobs", "one", "--array", id)).code).toBe(120);
  });
});

test("jobs are cancelled by what they are called or by options, and nothing is guessed from both", async () => {
  const id = await submit("--run", "sleep 60");
  const both = await home.run("cancel", "one", "--name", "other", "--yes");
  expect([both.code, both.err]).toEqual([120, expect.stringContaining("not both")]);
  expect(await home.json("cancel", id)).toMatchObject([{ id, before: expect.not.stringContaining("cancel") }]);
});

describe("jobs that are not there", () => {
  test("named by what is no cluster, the command says how to find a job by its name", async () => {
    await submit("--name", "low", "--run", "true");
    for (const command of ["logs", "why", "hold", "rerun"]) {
      const { code, err } = await home.run(command, "low");
      expect([command, code, err]).toEqual([command, 122, expect.stringContaining("muster jobs --name low")]);
    }
    const { err } = await home.run("cancel", "low*");
    expect(err).toContain("--name 'low*'");
    const absent = await home.run("cancel", "job_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    expect([absent.code, absent.err]).toEqual([122, expect.stringContaining("there is no job")]);
  });
});

describe("a job that ends at once", () => {
  test("badly is never told with a tick", async () => {
    const one = await submit("--run", "exit 3");
    await home.run("logs", "-f", one);
    const { code, err } = await home.run("run", "-c", "one", "--run", "true", "--after", one);
    expect([code, err]).toEqual([123, expect.not.stringContaining("✓")]);
    // Before anything is sent, and before a cluster is made that nothing could use.
    const planned = await home.run("launch", "--run", "true", "--after", one, "--dry-run");
    expect([planned.code, planned.err]).toEqual([123, expect.stringMatching(/^muster: it would wait in vain/)]);
  });

  test("was not held when it is released", async () => {
    const id = await submit("--run", "true");
    await home.run("logs", "-f", id);
    expect((await home.run("release", id)).out).toBe(`${id}  was not held: succeeded\n`);
  });
});

describe("artifacts", () => {
  test("that a pattern does not find are told so, and a folder in the way is never replaced", async () => {
    const id = await submit("--outputs", "[r]", "--run", "mkdir r; echo x > r/a.json");
    await home.run("logs", "-f", id);
    const none = await home.run("artifacts", "get", id, "*.csv");
    expect([none.code, none.err]).toEqual([122, expect.stringContaining("has kept nothing that is like '*.csv'")]);
    const target = join(home.path, "target");
    mkdirSync(join(target, "r", "a.json"), { recursive: true });
    const { code, err } = await home.run("artifacts", "get", id, "-o", target, "--yes");
    expect([code, err]).toEqual([
      123,
      expect.stringMatching(/a\.json is a folder, where[\s\S]*another folder with -o/),
    ]);
    expect(existsSync(join(target, "r", "a.json"))).toBe(true);
  });
});

test("a log that goes to a file is told as JSON, too", async () => {
  const id = await submit("--run", "echo hello");
  await home.run("logs", "-f", id);
  const output = join(home.path, "hello.log");
  expect(await home.json("logs", id, "-o", output)).toEqual({ job: id, output });
  expect(readFileSync(output, "utf8")).toBe("hello\n");
});

test("up says that a container is its jobs', and makes plain hosts", async () => {
  const { code, err } = await home.run(
    "up",
    file("box.yaml", "container: a/b:1\nrun: echo x\n"),
    "-c",
    "box",
    "--dry-run",
  );
  expect([code, err]).toEqual([0, expect.stringContaining("the container image is for jobs")]);
});

test("a schedule's plan tells of its runs, and its cluster takes as many jobs as its file says", async () => {
  const task = file("night.yaml", "max_concurrent_jobs: 1\nruns: 4\nrun: echo x\n");
  const set = await home.run(
    "schedule",
    "set",
    "night",
    "--cron",
    "@daily",
    task,
    "-c",
    "night",
    "--max-lifetime",
    "2h",
  );
  expect([set.code, set.err]).toEqual([0, expect.stringMatching(/4 runs[\s\S]*ends after 2 h/)]);
  const run = await home.run("schedule", "run-now", "night");
  expect(run.err).toContain("muster jobs --array job_");
  const { cluster } = await home.json<{ job: Job.Info; cluster: { maxConcurrentJobs?: number } }>(
    "why",
    run.out.trim(),
  );
  expect(cluster.maxConcurrentJobs).toBe(1);
});

test("a variable of one's own is one that is set, not what every object has", async () => {
  for (const option of ["-e", "--secret"]) {
    const { code, err } = await home.run("run", "-c", "one", "--run", "true", option, "constructor");
    expect([option, code, err]).toEqual([option, expect.toBeOneOf([120, 122]), expect.stringMatching(/constructor/)]);
  }
  const { err } = await home.run("run", "-c", "one", "--run", "true", "-e", "constructor");
  expect(err).toContain("constructor is not set here");
});

test("commands whose variables look like secrets are sent with a warning", async () => {
  const { code, out, err } = await home.run("exec", "one", "-e", "HF_TOKEN=abcdef", "--", 'echo "$HF_TOKEN"');
  expect([code, out, err]).toEqual([0, "abcdef\n", expect.stringContaining("HF_TOKEN is kept with the commands")]);
});
