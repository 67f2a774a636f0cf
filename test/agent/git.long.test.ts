/**
 * Git repositories as workdirs: real git on both sides (git http-backend behind a small HTTP server of ours, without TLS).
 * The control plane is a server of our own. Nothing was cloned by ssh.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addressOf } from "../../packages/agent/src/inputs/git.ts";
import { Bench, murder } from "./support/bench.ts";
import { GitServer } from "./support/git-server.ts";
import { until } from "./support/until.ts";

test.concurrent("a workdir is cloned at its default branch, a branch, a tag, or a commit, as little of it as will do", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  const [first, second] = server.repository("repo", { "train.py": "one" }, { "train.py": "two", "sub/x": "y" });
  server.change("repo", "tag", "v1", first!);
  server.change("repo", "branch", "feature/x", first!);
  server.change("repo", "commit", "--quiet", "--allow-empty", "--message", "newest");
  const run = "cat train.py; git rev-list --count HEAD; git rev-parse HEAD";
  const url = `${server.url}/repo.git`;
  const refs = [undefined, "main", "feature/x", "v1", second!, second!.slice(0, 9)];
  for (const [index, ref] of refs.entries())
    bench.plane.assign(`job_${index}`, { workdir: { url, ...(ref === undefined ? {} : { ref }) }, run });
  await bench.agent();
  for (const index of refs.keys()) expect(await bench.exit(`job_${index}`)).toMatchObject({ exitCode: 0 });
  const log = (index: number): string => bench.plane.log(`job_${index}`, "run");
  expect(log(0)).toMatch(/^two1\n/);
  expect(log(1)).toBe(log(0));
  expect(log(2)).toBe(`one1\n${first}\n`);
  expect(log(3)).toBe(`one1\n${first}\n`);
  expect(log(4)).toBe(`two1\n${second}\n`);
  // A commit by a part of its name takes the whole repository.
  expect(log(5)).toBe(`two2\n${second}\n`);
  expect(bench.plane.log("job_3", "muster")).toBe(`the workdir is commit ${first} of ${url}\n`);
});

test.concurrent("a private repository is opened by GIT_TOKEN, which is nowhere to be read afterwards", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  server.repository("repo", { "train.py": "one" });
  server.password = "x-access-token:tok-s3cret";
  const workdir = { url: `${server.url}/repo.git` };
  const env = { GIT_TOKEN: "tok-s3cret" };
  bench.plane.assign("job_a", { workdir, env, secretNames: ["GIT_TOKEN"], run: "cat train.py; cat .git/config" });
  bench.plane.assign("job_b", { workdir, run: "true" });
  bench.plane.assign("job_c", { workdir, env: { GIT_TOKEN: "wrong-one" }, run: "true" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a", "run")).toMatch(/^one\[core\]/);
  const none = await bench.exit("job_b");
  expect(none).toMatchObject({
    cause: "inputs_failed",
    message: expect.stringContaining("give GIT_TOKEN as a secret"),
  });
  expect((await bench.exit("job_c")).message).toContain("is not opened by the GIT_TOKEN of this job");
  const grep = ["-rls", "--", "tok-s3cret", bench.home.jobs, bench.home.log];
  expect(() => execFileSync("grep", grep, { encoding: "utf8" })).toThrow();
  expect(server.seen).toContain("x-access-token:tok-s3cret");
});

test.concurrent("git's arguments, as every user of the host can read them, hold no token", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  server.repository("repo", { "train.py": "one" });
  server.password = "me:tok-s3cret";
  const marked = server.url.replace("//", "//me:tok-s3cret@");
  server.fault = { status: 503, left: 3 };
  bench.plane.assign("job_a", { workdir: { url: `${marked}/repo.git` }, run: "git remote -v" });
  await bench.agent();
  const commands = new Set<string>();
  await until("the job", () => {
    for (const pid of bench.processes()) {
      const path = `/proc/${pid}/cmdline`;
      if (existsSync(path)) commands.add(readSafely(path));
    }
    return bench.plane.exit("job_a");
  });
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect([...commands].some(command => command.includes("repo.git"))).toBe(true);
  expect([...commands].join("\n")).not.toContain("tok-s3cret");
  expect(bench.plane.log("job_a", "run")).toContain(`origin\t${server.url}/repo.git (fetch)`);
  expect(bench.plane.log("job_a")).not.toContain("tok-s3cret");
});

test.concurrent("a token is said to the repository's own host only, wherever that sends git", async () => {
  await using server = await GitServer.open();
  await using other = await GitServer.open();
  await using bench = await Bench.open();
  other.repository("repo", { "train.py": "one" });
  other.password = "x-access-token:tok-s3cret";
  server.redirect = other.url;
  bench.plane.assign("job_a", {
    workdir: { url: `${server.url}/repo.git` },
    env: { GIT_TOKEN: "tok-s3cret" },
    run: "true",
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "inputs_failed" });
  expect(other.requests).toBeGreaterThan(0);
  expect(other.seen).toEqual([]);
});

test.concurrent("what cannot be cloned is said in words, and with the address of it", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  server.repository("repo", { a: "b" });
  const url = `${server.url}/repo.git`;
  const cases = {
    job_a: { url, ref: "nowhere" },
    job_b: { url: `${server.url}/none.git` },
    job_c: { url, ref: "--upload-pack=touch /tmp/x" },
    job_d: { url: `ext::sh -c touch% ${bench.home.jobs}/ran` },
    job_e: { url: `file://${server.folder}/repo.git` },
    job_f: { url: "--upload-pack=x" },
    job_g: { url, ref: "f".repeat(40) },
  };
  for (const [job, workdir] of Object.entries(cases)) bench.plane.assign(job, { workdir, run: "touch ~/ran" });
  await bench.agent();
  const said = async (job: string): Promise<string> => {
    const exit = await bench.exit(job);
    expect(exit.cause, job).toBe("inputs_failed");
    return exit.message ?? "";
  };
  expect(await said("job_a")).toBe(`the workdir: the repository ${url} has no branch, tag or commit "nowhere"`);
  expect(await said("job_b")).toContain(`${server.url}/none.git is private or not there`);
  expect(await said("job_c")).toContain("is not the name of a branch, tag or commit");
  for (const job of ["job_d", "job_e", "job_f"])
    expect(await said(job)).toContain("is not a repository that can be cloned; write https://host/path");
  expect(await said("job_g")).toContain(`has no branch, tag or commit "${"f".repeat(40)}"`);
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("an address keeps nothing of what opens it", () => {
  const of = (text: string): unknown => addressOf(text);
  expect(of("https://me:p%40ss@host.example/a/b")).toEqual({
    url: "https://host.example/a/b",
    user: "me",
    password: "p@ss",
    origin: "https://host.example",
  });
  expect(of("git@github.com:a/b.git")).toMatchObject({ url: "git@github.com:a/b.git", origin: undefined });
  expect(of("ssh://git:pw@host/a")).toMatchObject({ url: "ssh://git@host/a" });
  for (const bad of ["git://host/a", "-x", "/a/b", "https://host/a b", "a\nb", "git@host:a\nb"])
    expect(() => addressOf(bad), bad).toThrow("is not a repository");
});

test.concurrent("a job that is cancelled while it is cloned ends at once, and nothing of git is left", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  server.repository("repo", { a: "b" });
  const hang = new Promise(() => undefined);
  server.hold = hang;
  bench.plane.assign("job_a", { workdir: { url: `${server.url}/repo.git` }, run: "touch ~/ran" });
  await bench.agent();
  await until("git to ask", () => server.requests > 0);
  expect(bench.processes().length).toBeGreaterThan(0);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a", 1, 3_000)).toMatchObject({ cause: "cancelled" });
  await until("git to be gone", () => bench.processes().length === 0);
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("an agent that is killed while git clones is followed by one that clones anew", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  server.repository("repo", { a: "b" });
  server.hold = new Promise(() => undefined);
  bench.plane.assign("job_a", { workdir: { url: `${server.url}/repo.git` }, run: "cat a; git status --short" });
  const first = await bench.agent();
  await until("git to ask", () => server.requests > 0);
  await murder(first);
  server.hold = undefined;
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a", "run")).toBe("b");
  expect(readdirSync(join(bench.home.jobs, "muster", "job_a")).sort()).toEqual([".git", "a"]);
});

function readSafely(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended while it was read.
    return "";
  }
}

test.concurrent("what git leaves behind is not waited for, and ends with the job, also where that never ran", async () => {
  await using bench = await Bench.open();
  const folder = join(bench.home.jobs, ".local/bin");
  mkdirSync(folder, { recursive: true });
  // As ssh does that is told to keep a connection open: it has git's own standard error.
  const text = `#!/bin/bash
setsid sleep 1000 &
case "$*" in *rev-parse*) echo abc ;; esac
until [ ! -e ~/hang ]; do touch ~/began; sleep 0.02; done
`;
  writeFileSync(join(folder, "git"), text, { mode: 0o755 });
  const workdir = { url: "https://git.example/a.git" };
  bench.plane.assign("job_a", { workdir, run: "true" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.processes()).toEqual([]);
  bench.write("hang");
  bench.plane.assign("job_b", { workdir, run: "true" });
  await bench.kick();
  await until("git", () => bench.read("began") !== undefined);
  bench.plane.held = [{ jobId: "job_b", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_b", 1, 5_000)).toMatchObject({ cause: "cancelled" });
  expect(bench.processes()).toEqual([]);
});
