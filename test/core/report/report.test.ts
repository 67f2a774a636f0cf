import { cancel } from "@muster/core/array/control.ts";
import { openFailed, openHeld } from "@muster/core/report/open.ts";
import * as Report from "@muster/core/report/report.ts";
import { Task } from "@muster/core/task/task.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GitHubServer, startGitHub } from "../../support/forges/github.ts";
import { type GitLabServer, startGitLab } from "../../support/forges/gitlab.ts";
import { enrollAll } from "../../support/host.ts";
import { launchRequest, MINUTE } from "../../support/requests.ts";
import { ADA, type TestWorld } from "../../support/world.ts";
import { about, later, launched, ran, reporting, reportsOf, SHA, work } from "./support.ts";

let hub: GitHubServer;
let lab: GitLabServer;
let world: TestWorld;
beforeEach(async () => {
  hub = await startGitHub();
  lab = await startGitLab();
  world = await reporting({ TOKEN: hub.token, LAB: lab.token, APP: `${hub.appId}\n${hub.key}` });
});
afterEach(async () => {
  await hub.close();
  await lab.close();
});

const all = (token: string) => ({
  id: "hk_1",
  name: "ci",
  api: hub.url,
  token,
  report: { status: true, comment: true, check: true },
});
const states = () => hub.statuses.map(({ state }) => state);

test("a job that succeeds: pending, and then success, under one context, and nothing after that", async () => {
  await launched(world, about(hub.url), launchRequest);
  await work(world);
  expect(hub.statuses).toEqual([
    { sha: SHA, state: "pending", context: "muster/ci/train", description: "queued on cluster 'demo'" },
  ]);
  await ran(world, 0);
  expect(states().at(-1)).toBe("success");
  expect(hub.statuses.at(-1)?.description).toMatch(/^succeeded after 30 s, \$0\.0008$/);
  expect(new Set(hub.statuses.map(({ context }) => context)).size).toBe(1);
  const count = hub.calls.length;
  await later(world, 3 * 3_600_000);
  expect(hub.calls.length).toBe(count);
});

test("the hook says where its token goes, and what was sent to it does not; a link that is none is left out", async () => {
  const url = `https://github.com/${"x".repeat(300)}`;
  await openFailed(world, about(hub.url, {}, { api: "https://evil.example", url }), "no");
  await openFailed(world, about(hub.url, { rule: "two" }, { url: "javascript:alert(1)" }), "no");
  await openFailed(world, about(hub.url, { rule: "three" }, { url: "https://github.com/acme/models/pull/7" }), "no");
  await work(world);
  expect(hub.statuses.map(({ context, target_url: link }) => [context, link])).toEqual([
    ["muster/ci/train", undefined],
    ["muster/ci/two", undefined],
    ["muster/ci/three", "https://github.com/acme/models/pull/7"],
  ]);
  const { api: _, ...hook } = about(hub.url).hook;
  const of = about(hub.url, { hook, rule: "four" }, { api: "https://evil.example" });
  await openFailed(world, of, "no");
  const report = await Report.find(world.table, "acme", Report.idOf(world.digest, { ...of, channel: "status" }));
  expect(report?.origin.api).toBe("https://api.github.com");
});

test("a job that fails says with what, and one that could not start is an error", async () => {
  await launched(world, about(hub.url), launchRequest);
  await work(world);
  await ran(world, 3);
  expect(hub.statuses.at(-1)).toMatchObject({
    state: "failure",
    description: expect.stringMatching(/^failed after 30 s.*: the script exited with 3/),
  });
  world.provider.full.add("small");
  world.provider.full.add("large");
  const job = await launched(world, about(hub.url, { at: 2000 }), { ...launchRequest, cluster: "other" });
  await work(world);
  expect(hub.statuses.at(-1)).toMatchObject({
    state: "error",
    description: expect.stringMatching(/^could not start: /),
  });
  expect((await reportsOf(world, job.id)).every(({ dueAt }) => dueAt === undefined)).toBe(true);
});

test("what was refused, and what waits for a maintainer, is told, and gives way to a launch", async () => {
  await openFailed(world, about(hub.url), `the task file is not valid: ${"x".repeat(600)}`);
  await work(world);
  expect(hub.statuses.at(-1)).toMatchObject({
    state: "error",
    description: expect.stringMatching(/^could not start: the task file/),
  });
  await openHeld(world, about(hub.url, { at: 2000 }), "waits for a maintainer");
  await work(world);
  expect(hub.statuses.at(-1)).toMatchObject({ state: "error", description: "waits for a maintainer" });
  await launched(world, about(hub.url, { at: 2000 }), launchRequest);
  await work(world);
  expect(states().at(-1)).toBe("pending");
  await openFailed(world, about(hub.url, { at: 1500 }), "an older delivery, late");
  await work(world);
  expect(states().at(-1)).toBe("pending");
});

test("an App's check run and the comment are one each, with a table, the end of the log, and no more of it than that", async () => {
  const of = about(hub.url, { hook: all("APP") }, { pull: 7 });
  await launched(world, of, { ...launchRequest, task: Task.parse({ run: "true", name: "train-net" }) });
  await work(world);
  expect([...hub.runs.values()]).toMatchObject([{ status: "queued", head_sha: SHA, name: "muster/ci/train" }]);
  expect([...hub.comments.values()]).toMatchObject([{ pull: 7 }]);
  const noise = Array.from({ length: 5000 }, (_, n) => `\u001b[32mstep ${n}\u001b[0m ${"·".repeat(20)}\r\n`);
  await ran(world, 1, [
    noise.slice(0, 2500).join(""),
    noise.slice(2500).join(""),
    "```\n@all <script>alert(1)</script> | last line\n",
  ]);
  const [run] = [...hub.runs.values()];
  expect(run).toMatchObject({ status: "completed", conclusion: "failure" });
  const summary = String((run?.output as { summary?: string } | undefined)?.summary);
  for (const text of ["| Name | `train-net` |", "| Cluster | `demo` |", "step 4999", "last line", "muster logs job_"])
    expect(summary).toContain(text);
  expect(summary).not.toContain("step 4900");
  expect(summary).not.toContain("\u001b");
  expect(summary.length).toBeLessThan(65_535);
  // The fence is longer than what stands in it.
  expect(summary).toMatch(/````text\n[\s\S]*\n```\n@all <script>[\s\S]*\n````\n/);
  expect(hub.runs.size).toBe(1);
  expect(hub.comments.size).toBe(1);
  const [comment] = [...hub.comments.values()];
  expect(comment?.body).toMatch(/^<!-- muster:[0-9a-f]{32} -->\n\n\*\*Muster\*\*, `muster\/ci\/train`/);
  expect(comment?.body).toContain("step 4999");
});

test("a push has no pull request to comment on, and GitLab no check runs", async () => {
  const push = await launched(world, about(hub.url, { hook: all("APP") }), launchRequest);
  const hook = { ...all("LAB"), api: lab.url };
  const merge = about(lab.url, { hook }, { forge: "gitlab", project: "42", pull: 3 });
  const merged = await launched(world, merge, launchRequest);
  const channels = async (id: string) => (await reportsOf(world, id)).map(({ channel }) => channel);
  expect(await channels(push.id)).toEqual(["status", "check"]);
  expect(await channels(merged.id)).toEqual(["status", "comment"]);
  const { token: _, ...silent } = all("TOKEN");
  const nobody = await launched(world, about(hub.url, { hook: silent }, { pull: 7 }), launchRequest);
  expect(await channels(nobody.id)).toEqual([]);
});

test("a new commit of the pull request writes over the same comment, and has a status of its own", async () => {
  const report = { status: true, comment: true, check: false };
  const at = (sha: string, time: number) =>
    about(hub.url, { hook: { ...all("TOKEN"), report }, at: time }, { pull: 7, sha });
  await launched(world, at(SHA, 1000), launchRequest);
  await work(world);
  const next = "d".repeat(40);
  await launched(world, at(next, 2000), launchRequest);
  await work(world);
  expect(new Set(hub.statuses.map(({ sha }) => sha))).toEqual(new Set([SHA, next]));
  expect(hub.comments.size).toBe(1);
  expect([...hub.comments.values()][0]?.body).toContain(next.slice(0, 12));
});

test("a comment that somebody deletes is made anew", async () => {
  const hook = { ...all("TOKEN"), report: { status: false, comment: true, check: false } };
  await launched(world, about(hub.url, { hook }, { pull: 7 }), launchRequest);
  await work(world);
  hub.comments.clear();
  await ran(world, 0);
  expect([...hub.comments.values()]).toMatchObject([{ body: expect.stringContaining("succeeded after") }]);
});

test("GitLab: the job's states as a status, and one note", async () => {
  const hook = { ...all("LAB"), api: lab.url };
  const origin = { forge: "gitlab", project: "42", pull: 3 } as const;
  await launched(world, about(lab.url, { hook }, origin), launchRequest);
  await work(world);
  await ran(world, 0);
  expect(lab.statuses.map(({ state }) => state)).toEqual(["pending", "success"]);
  expect(lab.statuses[0]).toMatchObject({ name: "muster/ci/train", ref: "main" });
  expect([...lab.notes.values()]).toMatchObject([{ request: 3, body: expect.stringContaining("succeeded after") }]);
  const other = { ...launchRequest, cluster: "other" };
  const next = await launched(world, about(lab.url, { hook, at: 2000 }, origin), other);
  await work(world);
  await cancel(world, ADA, next.id);
  await work(world);
  expect(lab.statuses.map(({ state }) => state)).toEqual(["pending", "success", "pending", "canceled"]);
  expect(lab.notes.size).toBe(1);
});

test("what goes on for a while is told as running, not more often than that, and what waits long says what for", async () => {
  await launched(world, about(hub.url), launchRequest);
  await work(world);
  await later(world, 11 * MINUTE);
  expect(hub.statuses.at(-1)).toMatchObject({
    state: "pending",
    description: expect.stringMatching(/^queued for more than 10 min 0 s: it waits for cluster 'demo'/),
  });
  await later(world, 20 * MINUTE);
  expect(hub.statuses.at(-1)?.description).toMatch(/^queued for more than 30 min/);
  const count = hub.statuses.length;
  await later(world, 5 * MINUTE);
  expect(hub.statuses.length).toBe(count);
});

test("an array says how many runs it has, and ends when all of them have", async () => {
  const task = Task.parse({ run: "true", runs: { count: 3 } });
  await launched(world, about(hub.url), { ...launchRequest, task });
  await work(world);
  const [host] = await enrollAll(world);
  await work(world);
  for (let run = 0; run < 3; run++) {
    const [order] = (await host?.poll())?.assignments ?? [];
    if (host === undefined || order === undefined) throw new Error("the host was given nothing");
    await host.run(order, run === 1 ? 2 : 0);
    await later(world, 11_000);
  }
  expect(hub.statuses.map(({ description }) => description)).toContain("running: 3 runs on cluster 'demo'");
  expect(hub.statuses.at(-1)?.state).toBe("failure");
});
