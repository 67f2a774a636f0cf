/**
 * What Muster says to GitHub and GitLab, over the real port Outbound, against servers on loopback that we wrote after the
 * forges' documents (test/support/forges). They check what the documents say is checked.
 */
import { generateKeyPairSync } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import * as Checks from "@muster/core/github/checks.ts";
import * as Comments from "@muster/core/github/comments.ts";
import * as Deliveries from "@muster/core/github/deliveries.ts";
import { type GitHub, gitHub } from "@muster/core/github/github.ts";
import * as Repository from "@muster/core/github/repository.ts";
import { setStatus } from "@muster/core/github/statuses.ts";
import { type GitLab, gitLab } from "@muster/core/gitlab/gitlab.ts";
import * as Notes from "@muster/core/gitlab/notes.ts";
import * as Project from "@muster/core/gitlab/project.ts";
import * as LabStatuses from "@muster/core/gitlab/statuses.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { signer } from "@muster/node/signer.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GitHubServer, startGitHub } from "../../support/forges/github.ts";
import { type GitLabServer, startGitLab } from "../../support/forges/gitlab.ts";

const SHA = "a".repeat(40);
const clock = { ms: Date.now(), now: () => clock.ms };
const world = () => ({ outbound: createOutbound({ allow: ["127.0.0.1/32"] }), clock, signer });

let hub: GitHubServer;
let lab: GitLabServer;
let github: GitHub;
let gitlab: GitLab;
beforeEach(async () => {
  hub = await startGitHub();
  lab = await startGitLab();
  clock.ms = Date.now();
  github = gitHub(world(), { api: hub.url, repository: "acme/models", secret: hub.token });
  gitlab = gitLab(world(), { api: lab.url, project: "42", secret: `${lab.token}\n` });
});
afterEach(async () => {
  await hub.close();
  await lab.close();
});

const status = { state: "pending", context: "muster/ci/train", description: "queued" } as const;
const appOf = (): GitHub =>
  gitHub(app, { api: hub.url, repository: "acme/models", secret: `${hub.appId}\n${hub.key}` });
let app = world();
const check = {
  name: "muster/ci/train",
  externalId: "rpt_1",
  status: "in_progress",
  title: "running",
  summary: "…",
} as const;

test("a status is set under its context, with the version and a name of who calls", async () => {
  await setStatus(github, SHA, { ...status, url: "https://muster.example/jobs/1" });
  expect(hub.statuses).toEqual([{ sha: SHA, ...status, target_url: "https://muster.example/jobs/1" }]);
});

test("an App shows a signed token of its own, gets one for this repository alone, and keeps it until it expires", async () => {
  app = world();
  const id = await Checks.createCheck(appOf(), SHA, check);
  await Checks.updateCheck(appOf(), id, { ...check, status: "completed", conclusion: "success" });
  expect(hub.tokens).toHaveLength(1);
  expect(hub.runs.get(id)).toMatchObject({ head_sha: SHA, status: "completed", conclusion: "success" });
  clock.ms += 3_590_000;
  expect(await Checks.findCheck(appOf(), SHA, check)).toBe(id);
  expect(hub.tokens).toHaveLength(2);
});

test("an App's token that GitHub takes back is asked for anew, once", async () => {
  app = world();
  await Checks.createCheck(appOf(), SHA, check);
  hub.revoked.add("ghs_installation0");
  await Checks.createCheck(appOf(), SHA, check);
  expect(hub.tokens).toEqual(["ghs_installation0", "ghs_installation1"]);
  expect(hub.runs.size).toBe(2);
});

test("without an App there are no check runs, and GitHub says why", async () => {
  await expect(Checks.createCheck(github, SHA, check)).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringContaining("You must authenticate via a GitHub App."),
  });
});

test("a comment is found by its marker behind a hundred others, and written over", async () => {
  for (let n = 0; n < 130; n++) await Comments.createComment(github, 7, `chatter ${n}`);
  await Comments.createComment(github, 7, "> <!-- m -->\nlook what it says");
  const id = await Comments.createComment(github, 7, "<!-- m -->\nqueued");
  await Comments.createComment(github, 7, "he said <!-- m --> there");
  expect(await Comments.findComment(github, 7, { marker: "<!-- m -->", since: Date.now() - 60_000 })).toBe(id);
  await Comments.updateComment(github, id, "<!-- m -->\nsucceeded");
  expect(hub.comments.get(id)?.body).toBe("<!-- m -->\nsucceeded");
  expect(await Comments.findComment(github, 8, { marker: "<!-- m -->", since: 0 })).toBeUndefined();
});

test("a file is read as it is at the commit; a folder, a file that is too large and one that is no text are refused", async () => {
  const text = `run: echo "größer" ${"x".repeat(500)}\n`;
  hub.files.set(`${SHA} ci/train job.yaml`, text);
  lab.files.set(`${SHA} ci/train job.yaml`, text);
  hub.files.set(`${SHA} big`, "x".repeat(300_000));
  hub.files.set(`${SHA} huge`, "x".repeat(1_000_001));
  lab.files.set(`${SHA} big`, "x".repeat(300_000));
  expect(await Repository.readFile(github, SHA, "ci/train job.yaml")).toBe(text);
  expect(await Project.readFile(gitlab, SHA, "ci/train job.yaml")).toBe(text);
  for (const path of ["big", "huge"])
    await expect(Repository.readFile(github, SHA, path)).rejects.toMatchObject({ code: "too_large" });
  await expect(Project.readFile(gitlab, SHA, "big")).rejects.toMatchObject({ code: "too_large" });
  hub.fail({ answer: { status: 200, body: [{ type: "file", name: "a" }] } });
  await expect(Repository.readFile(github, SHA, "ci")).rejects.toMatchObject({ code: "invalid_request" });
  hub.fail({ answer: { status: 200, body: { type: "file", encoding: "base64", content: "//79" } } });
  await expect(Repository.readFile(github, SHA, "binary")).rejects.toMatchObject({ code: "invalid_request" });
  await expect(Repository.readFile(github, SHA, "../../../user")).rejects.toMatchObject({ code: "invalid_request" });
  expect(hub.calls.some(({ path }) => path.includes("user"))).toBe(false);
});

test("who may write is what the forge says, and nobody knows a stranger", async () => {
  for (const [user, permission] of [
    ["ada", "admin"],
    ["mia", "maintain"],
    ["wim", "write"],
    ["tom", "read"],
    ["non", "none"],
  ] as const)
    hub.permissions.set(user, permission);
  const may = await Promise.all(
    ["ada", "mia", "wim", "tom", "non", "eve"].map(user => Repository.mayWrite(github, user)),
  );
  expect(may).toEqual([true, true, true, false, false, false]);
  lab.members.push({ username: "ada", access_level: 40 }, { username: "adam", access_level: 50 });
  lab.members.push({ username: "gone", access_level: 50, state: "blocked" });
  expect(await Project.accessOf(gitlab, "Ada")).toBe(40);
  expect(await Project.accessOf(gitlab, "gone")).toBe(0);
  expect(await Project.accessOf(gitlab, "ad")).toBe(0);
});

test("changed files come from all pages, and a file that was moved from both its places", async () => {
  hub.changed.set(
    7,
    Array.from({ length: 250 }, (_, n) => `src/${n}.py`),
  );
  expect(await Repository.filesOfPull(github, 7)).toMatchObject({ complete: true, paths: { length: 250 } });
  const between = await Repository.filesBetween(github, "b".repeat(40), SHA);
  expect(between).toEqual({ paths: ["now.py", "before.py", "train.py"], complete: true });
  expect(await Project.filesOfMergeRequest(gitlab, 3)).toEqual({ paths: ["b.py", "a.py"], complete: true });
  expect(await Project.filesBetween(gitlab, "b".repeat(40), SHA)).toEqual({ paths: ["c.py"], complete: true });
});

test("the head of a pull request is what it is now", async () => {
  hub.pulls.set(7, { sha: SHA, fork: true });
  lab.requests.set(3, { sha: SHA, from: 43 });
  expect((await Repository.readPull(github, 7)).head).toMatchObject({ sha: SHA, repo: { full_name: "eve/models" } });
  expect(await Project.readMergeRequest(gitlab, 3)).toMatchObject({ sha: SHA, source_project_id: 43 });
});

test("deliveries are listed page by page, with ids that no number holds, and sent again by them", async () => {
  const ids = ["9007199254740993", "18446744073709551", "12345"];
  hub.deliveries.push(
    ...ids.map((id, n) => ({ id, guid: `guid-${n}`, status_code: n === 1 ? 502 : 200, event: "push" })),
  );
  const hook = await Deliveries.findHook(github, "https://muster.example/v1/hooks/hk_1");
  expect(hook).toBe(5);
  const first = await Deliveries.listDeliveries(github, 5);
  const second = await Deliveries.listDeliveries(github, 5, first.cursor);
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
  expect(first.items.map(({ isTaken }) => isTaken)).toEqual([true, false]);
  expect(second.cursor).toBeUndefined();
  await Deliveries.redeliver(github, 5, ids[0] ?? "");
  expect(hub.redelivered).toEqual([ids[0]]);
});

test("GitLab's status and note; the same status a second time is no failure", async () => {
  const said = { state: "running", name: "muster/ci/train", description: "running", ref: "main" } as const;
  await LabStatuses.setStatus(gitlab, SHA, said);
  await LabStatuses.setStatus(gitlab, SHA, said);
  await LabStatuses.setStatus(gitlab, SHA, { ...said, state: "success" });
  expect(lab.statuses.map(({ state }) => state)).toEqual(["running", "success"]);
  const id = await Notes.createNote(gitlab, 3, "<!-- m -->\nqueued");
  expect(await Notes.findNote(gitlab, 3, "<!-- m -->")).toBe(id);
  await Notes.updateNote(gitlab, 3, id, "<!-- m -->\ndone");
  expect(lab.notes.get(id)?.body).toBe("<!-- m -->\ndone");
  lab.fail({ answer: { status: 400, body: { message: { state: ["is not included in the list"] } } } });
  await expect(LabStatuses.setStatus(gitlab, SHA, said)).rejects.toMatchObject({ code: "invalid_request" });
});

test("what is to be tried later says when, within an hour; what is not says why", async () => {
  const now = clock.now();
  const later: [number, Record<string, string>, number | undefined][] = [
    [429, { "retry-after": "30" }, now + 30_000],
    [429, { "retry-after": "999999" }, now + 3_600_000],
    [403, { "retry-after": "0" }, now + 1_000],
    [
      403,
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.floor(now / 1000) + 60) },
      Math.floor(now / 1000) * 1000 + 60_000,
    ],
    [503, { "retry-after": new Date(now + 120_000).toUTCString() }, Math.floor(now / 1000) * 1000 + 120_000],
    [502, { "retry-after": "soon" }, undefined],
    [500, {}, undefined],
  ];
  for (const [code, headers, retryAt] of later) {
    hub.fail({ answer: { status: code, headers, body: { message: "slow down" } } });
    const error = await setStatus(github, SHA, status).catch(thrown => thrown);
    expect(error).toMatchObject({ code: "unavailable" });
    expect(error.details.retryAt).toBe(retryAt);
    clock.ms = now;
    github = gitHub(world(), { api: hub.url, repository: "acme/models", secret: hub.token });
  }
  const never: [number, string][] = [
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "not_found"],
    [409, "conflict"],
    [410, "not_found"],
    [422, "invalid_request"],
    [301, "not_found"],
  ];
  for (const [code, expected] of never) {
    hub.fail({ answer: { status: code, body: { message: "No commit found for SHA\u001b[31m\nx" } } });
    const error = await setStatus(github, SHA, status).catch(thrown => thrown);
    expect(error).toBeInstanceOf(MusterError);
    expect(error.code).toBe(expected);
    expect(error.message).not.toContain(hub.token);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  }
  hub.fail({ answer: "cut" });
  await expect(setStatus(github, SHA, status)).rejects.toMatchObject({ code: "unavailable" });
  expect(hub.statuses).toEqual([]);
});

test("who is asked for a pause asks nothing more with that token, and others go on", async () => {
  hub.fail({ answer: { status: 429, headers: { "retry-after": "30" } } });
  await expect(setStatus(github, SHA, status)).rejects.toMatchObject({ code: "unavailable" });
  const until = clock.now() + 30_000;
  await expect(setStatus(github, SHA, status)).rejects.toMatchObject({ details: { retryAt: until } });
  await LabStatuses.setStatus(gitlab, SHA, { state: "pending", name: "n", description: "d" });
  expect([hub.calls.length, lab.statuses.length]).toEqual([1, 1]);
  clock.ms = until;
  await setStatus(github, SHA, status);
  expect(hub.statuses).toHaveLength(1);
});

test("secrets that are no tokens, and names that lead elsewhere, are refused before anything is sent", () => {
  const at = (repository: string, secret: string) => () => gitHub(world(), { api: hub.url, repository, secret });
  for (const [repository, secret] of [
    ["acme/models", "two words"],
    ["acme/models", ""],
    ["acme/models", "-----BEGIN RSA PRIVATE KEY-----\nno id above"],
    ["acme", hub.token],
    ["acme/models/../../user", hub.token],
    ["../models", hub.token],
  ] as const)
    expect(at(repository, secret)).toThrow(MusterError);
  expect(() => gitLab(world(), { api: lab.url, project: "42/../43", secret: "t" })).toThrow(MusterError);
  const { privateKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  expect(() => signer.rs256(other.export({ type: "pkcs8", format: "pem" }).toString(), "x")).toThrow(
    /no RSA private key/,
  );
  expect(() => signer.rs256("-----BEGIN RSA PRIVATE KEY-----\ncanary", "x")).toThrow(/no RSA private key/);
  expect(hub.calls).toEqual([]);
});
