/**
 * Reports when something goes wrong: at the forge, on the way there, or with whoever tells. Core on SQLite in memory, hosts
 * are agents without machines, and GitHub and GitLab are servers that we wrote (test/support/forges).
 */
import { cancel } from "@muster/core/array/control.ts";
import { list } from "@muster/core/deadletter/read.ts";
import { replay } from "@muster/core/deadletter/replay.ts";
import { note } from "@muster/core/report/note.ts";
import { openFailed } from "@muster/core/report/open.ts";
import { LEASE, send } from "@muster/core/report/send.ts";
import { remove } from "@muster/core/secret/remove.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GitHubServer, startGitHub } from "../../support/forges/github.ts";
import { type GitLabServer, startGitLab } from "../../support/forges/gitlab.ts";
import { enrollAll } from "../../support/host.ts";
import { launchRequest, MINUTE } from "../../support/requests.ts";
import { ADA, type TestWorld } from "../../support/world.ts";
import { about, later, launched, ran, reporting, reportsOf, work } from "./support.ts";

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

const ADMIN = { ...ADA, role: "admin" } as const;
const all = (token: string) => ({
  id: "hk_1",
  name: "ci",
  api: hub.url,
  token,
  report: { status: true, comment: true, check: true },
});
const states = () => hub.statuses.map(({ state }) => state);

test("an end that nobody was told of is found by looking", async () => {
  const job = await launched(world, about(hub.url), launchRequest);
  await work(world);
  await cancel(world, ADA, job.id);
  // Neither doorbell nor outbox hears of it.
  world.changes.length = 0;
  await later(world, 11 * MINUTE);
  expect(hub.statuses.at(-1)).toMatchObject({ state: "error", description: "cancelled" });
});

test("so is the end of one that runs, within the hour", async () => {
  const job = await launched(world, about(hub.url), launchRequest);
  await work(world);
  const [host] = await enrollAll(world);
  await work(world);
  const [order] = (await host?.poll())?.assignments ?? [];
  if (host === undefined || order === undefined) throw new Error("the host was given nothing");
  const { jobId, fence } = order;
  await host.report({ jobId, fence, state: "running" });
  await later(world, MINUTE);
  expect(hub.statuses.at(-1)).toMatchObject({ state: "pending", description: "running on cluster 'demo'" });
  await host.report({ jobId, fence, state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true });
  world.changes.length = 0;
  await later(world, 3_600_000);
  expect(states().at(-1)).toBe("success");
  expect((await reportsOf(world, job.id))[0]?.dueAt).toBeUndefined();
});

test("a job whose place another one has taken says nothing more", async () => {
  const first = await launched(world, about(hub.url), launchRequest);
  const second = await launched(world, about(hub.url, { at: 2000 }), launchRequest);
  await work(world);
  const [report] = await reportsOf(world, second.id);
  expect(report?.subject).toEqual({ kind: "job", jobId: second.id });
  await cancel(world, ADA, first.id);
  world.clock.pass(1000);
  await work(world);
  expect((await reportsOf(world, second.id))[0]).toEqual(report);
  expect(states().at(-1)).toBe("pending");
});

test("a forge that is down is tried again, at a growing distance and not before it says, until it is heard", async () => {
  hub.fail({ answer: { status: 502 }, times: 3 });
  const job = await launched(world, about(hub.url), launchRequest);
  await work(world);
  const dueIn = async () => ((await reportsOf(world, job.id))[0]?.dueAt ?? 0) - world.clock.now();
  for (const least of [5_000, 15_000, 45_000]) {
    const wait = await dueIn();
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThan(1.5 * least);
    await later(world, wait - 1);
    expect(await dueIn()).toBe(1);
    await later(world, 1);
  }
  expect(states()).toEqual(["pending"]);
  hub.fail({ answer: { status: 429, headers: { "retry-after": "600" } } });
  await ran(world, 0);
  const wait = await dueIn();
  expect(wait).toBeGreaterThanOrEqual(600_000);
  expect(wait).toBeLessThan(603_000);
  const event = { id: "evt_1", at: 1, subject: job.id, kind: "job.succeeded", actor: "system" };
  await note(world, event, "acme");
  expect(await dueIn()).toBe(wait);
  await later(world, wait);
  expect(states()).toEqual(["pending", "success"]);
});

test("what meets the same refusal comes back at different moments, and meanwhile nobody asks with that token", async () => {
  hub.fail({ answer: { status: 403, headers: { "x-ratelimit-remaining": "0", "retry-after": "60" } } });
  for (let rule = 0; rule < 20; rule++) await openFailed(world, about(hub.url, { rule: `rule-${rule}` }), "no");
  await work(world);
  expect(hub.calls).toHaveLength(1);
  const due = world.changes.length;
  expect(due).toBe(0);
  await later(world, 59_000);
  expect(hub.calls).toHaveLength(1);
  await later(world, 2_000);
  const early = hub.statuses.length;
  await later(world, 2_000);
  expect([early > 0, early < 20, hub.statuses.length]).toEqual([true, true, 20]);
});

test("after a day in vain it is a dead letter, and is told when somebody has it tried anew", async () => {
  hub.fail({ answer: { status: 503 }, times: 1000 });
  await launched(world, about(hub.url), launchRequest);
  await work(world);
  for (let hour = 0; hour < 26; hour++) await later(world, 61 * MINUTE);
  const { items } = await list(world, ADMIN, { limit: 10 });
  expect(items).toMatchObject([
    { what: "tell GitHub of muster/ci/train (status) at acme/models c0ffee000000", canReplay: true },
  ]);
  const tried = hub.calls.length;
  await later(world, 5 * 3_600_000);
  expect(hub.calls.length).toBe(tried);
  await hub.close();
  const heir = await startGitHub();
  Object.assign(world, { outbound: { ...world.outbound, send: moved(hub.url, heir.url) } });
  await replay(world, ADMIN, items[0]?.id ?? "");
  await work(world);
  expect(heir.statuses.map(({ state }) => state)).toEqual(["pending"]);
  expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
  await heir.close();
});

const moved = (from: string, to: string): TestWorld["outbound"]["send"] => {
  const { send: call } = world.outbound;
  return request => call({ ...request, url: request.url.replace(from, to) });
};

test("what the forge refuses is not tried again and again, and says why; what comes next is", async () => {
  hub.fail({ answer: { status: 422, body: { message: "No commit found for SHA" } } });
  const job = await launched(world, about(hub.url), launchRequest);
  await work(world);
  expect(await reportsOf(world, job.id)).toMatchObject([
    { problem: expect.stringContaining("No commit found for SHA") },
  ]);
  expect((await list(world, ADMIN, { limit: 10 })).items).toMatchObject([
    { reason: expect.stringContaining("No commit found") },
  ]);
  const count = hub.calls.length;
  await later(world, 3_600_000);
  expect(hub.calls.length).toBe(count);
  await ran(world, 0);
  expect(states().at(-1)).toBe("success");
});

test("without its secret, or with an App's channel and no App, it says what to do", async () => {
  await remove(world, ADA, "TOKEN");
  const job = await launched(world, about(hub.url), launchRequest);
  await work(world);
  expect(await reportsOf(world, job.id)).toMatchObject([{ problem: "the workspace has no secret 'TOKEN'" }]);
  const check = { status: false, comment: false, check: true };
  const hook = { ...all("LAB"), report: check };
  const other = await launched(world, about(hub.url, { hook, rule: "other" }), launchRequest);
  await work(world);
  expect(await reportsOf(world, other.id)).toMatchObject([
    { problem: expect.stringContaining("check runs want a GitHub App") },
  ]);
});

test("jobs that nobody reports cost one reading for each of their events, and runs of arrays none", async () => {
  const reads: string[] = [];
  const get: TestWorld["table"]["get"] = key => {
    reads.push(key.sk);
    return world.table.get(key);
  };
  const counted = { ...world, table: { ...world.table, get } };
  const event = { id: "evt_1", at: 1, subject: "job_01ARZ3NDEKTSV4RRFFQ69G5FAV", kind: "job.running", actor: "system" };
  await note(counted, event, "acme");
  expect(reads).toEqual(["REPORTS"]);
  await note(counted, { ...event, subject: `${event.subject}.3` }, "acme");
  await note(counted, { ...event, kind: "cluster.ready" }, "acme");
  expect(reads).toEqual(["REPORTS"]);
});

test("whoever was stopped between telling and writing it down is followed by somebody who tells the same, in the same place", async () => {
  const hook = all("APP");
  const job = await launched(world, about(hub.url, { hook }, { pull: 7 }), launchRequest);
  const reports = await reportsOf(world, job.id);
  expect(reports.map(({ channel }) => channel).sort()).toEqual(["check", "comment", "status"]);
  const { write } = world.table;
  for (const { id } of reports) {
    // The lease is taken, the forge is told, and then nothing can be written any more.
    const writes = { count: 0 };
    const dying: TestWorld = {
      ...world,
      table: {
        ...world.table,
        write: all => (writes.count++ === 0 ? write(all) : Promise.reject(new Error("killed"))),
      },
    };
    await expect(send(dying, { workspace: "acme", id })).rejects.toThrow("killed");
  }
  expect([hub.statuses.length, hub.runs.size, hub.comments.size]).toEqual([1, 1, 1]);
  // Nobody hears of the reports any more.
  const others = world.changes.filter(change => "item" in change && change.item.type !== "report");
  world.changes.splice(0, world.changes.length, ...others);
  await later(world, LEASE - 1);
  expect(hub.statuses).toHaveLength(1);
  await later(world, 1);
  expect([hub.statuses.length, hub.runs.size, hub.comments.size]).toEqual([2, 1, 1]);
  await ran(world, 0);
  expect([hub.runs.size, hub.comments.size]).toEqual([1, 1]);
  expect([...hub.runs.values()]).toMatchObject([{ conclusion: "success" }]);
});
