/**
 * Answers that no forge should give: 2,000 of them, made from a seed, to every call that Muster makes. The port Outbound is
 * a function here that hands them over.
 */
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
import type { OutboundAnswer } from "@muster/core/ports/outbound.ts";
import { expect, test } from "vitest";

const SHA = "a".repeat(40);
const SECRET = "ghp_canary0123456789";

const check = { name: "n", externalId: "rpt_1", status: "in_progress", title: "t", summary: "s" } as const;
const hubCalls: Record<string, (github: GitHub) => Promise<unknown>> = {
  status: github => setStatus(github, SHA, { state: "pending", context: "c", description: "d" }),
  create: github => Checks.createCheck(github, SHA, check),
  update: github => Checks.updateCheck(github, 1, check),
  find: github => Checks.findCheck(github, SHA, check),
  comments: github => Comments.findComment(github, 1, { marker: "m", since: 0 }),
  comment: github => Comments.createComment(github, 1, "b"),
  file: github => Repository.readFile(github, SHA, "a/b"),
  permission: github => Repository.mayWrite(github, "ada"),
  pull: github => Repository.readPull(github, 1),
  files: github => Repository.filesOfPull(github, 1),
  between: github => Repository.filesBetween(github, SHA, SHA),
  hook: github => Deliveries.findHook(github, "https://x"),
  deliveries: github => Deliveries.listDeliveries(github, 1),
  redeliver: github => Deliveries.redeliver(github, 1, "1"),
};
const labCalls: Record<string, (gitlab: GitLab) => Promise<unknown>> = {
  status: gitlab => LabStatuses.setStatus(gitlab, SHA, { state: "pending", name: "n", description: "d" }),
  notes: gitlab => Notes.findNote(gitlab, 1, "m"),
  note: gitlab => Notes.createNote(gitlab, 1, "b"),
  file: gitlab => Project.readFile(gitlab, SHA, "a/b"),
  access: gitlab => Project.accessOf(gitlab, "ada"),
  request: gitlab => Project.readMergeRequest(gitlab, 1),
  files: gitlab => Project.filesOfMergeRequest(gitlab, 1),
  between: gitlab => Project.filesBetween(gitlab, SHA, SHA),
};

/** What each of them might rightly be told; from this most answers are made, by breaking it. */
const RIGHT: readonly unknown[] = [
  { id: 1, body: "m", external_id: "rpt_1", token: "t", expires_at: "2026-01-01T00:00:00Z" },
  {
    check_runs: [{ id: 1, external_id: "rpt_1" }],
    files: [{ filename: "a" }],
    diffs: [{ old_path: "a", new_path: "b" }],
  },
  [
    {
      id: 1,
      body: "m",
      filename: "a",
      old_path: "a",
      new_path: "b",
      username: "ada",
      access_level: 40,
      config: { url: "u" },
    },
  ],
  [{ id: 1, guid: "g", delivered_at: "2026-01-01T00:00:00Z", status_code: 200, event: "push" }],
  {
    type: "file",
    encoding: "base64",
    content: "YQ==",
    permission: "write",
    iid: 1,
    state: "opened",
    target_project_id: 1,
  },
  { number: 1, state: "open", head: { sha: SHA, ref: "r", repo: { full_name: "a/b" } }, base: { sha: SHA, ref: "r" } },
  { message: "no", error: { name: ["is bad"] } },
];

const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0,
    1.5,
    Number.POSITIVE_INFINITY,
    2 ** 60,
    "",
    "\0",
    "\ud800",
    "x".repeat(70_000),
    [],
    {},
    [[[[]]]],
  ],
  { __proto__: null, toString: 1 },
  Array.from({ length: 500 }, () => ({ id: 1 })),
];
const TEXTS = [
  "",
  "<html>502 Bad Gateway</html>",
  "{",
  "[",
  "null",
  '{"id":1e999}',
  "\ufeff{}",
  `${"[".repeat(50_000)}`,
  '"',
];
const STATUSES = [
  0, 100, 200, 200, 200, 200, 200, 201, 202, 204, 206, 300, 301, 302, 304, 307, 400, 401, 403, 403, 404, 408, 409, 410,
  418, 422, 425, 429, 500, 502, 503, 504, 599, 999,
];
const HEADERS = [
  "",
  "0",
  "-1",
  "soon",
  "1e9",
  "99999999999999999999",
  "NaN",
  "Thu, 01 Jan 1970 00:00:00 GMT",
  "\ud800",
  "30",
];

function maker(seed: number): () => OutboundAnswer {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const broken = (value: unknown): unknown => {
    if (random() < 0.15) return pick(ODD);
    if (Array.isArray(value)) return value.map(broken);
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.entries(value).filter(() => random() > 0.1);
    return Object.fromEntries(kept.map(([key, one]) => [key, broken(one)]));
  };
  const bodyOf = (): string => {
    if (random() < 0.2) return pick(TEXTS);
    const text = JSON.stringify(broken(pick(RIGHT))) ?? "";
    return random() < 0.2 ? text.slice(0, Math.floor(random() * text.length)) : text;
  };
  return () => {
    const names = ["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-reset", "link"];
    const headers = Object.fromEntries(names.filter(() => random() < 0.3).map(name => [name, pick(HEADERS)]));
    return { status: pick(STATUSES), headers, body: bodyOf() };
  };
}

test("2,000 answers that make no sense: each call answers, or fails with an error of ours that a reader may see", async () => {
  const next = maker(20_261_122);
  const clock = { ms: 1_800_000_000_000, now: () => clock.ms };
  const world = { outbound: { send: async () => next() }, clock };
  const github = gitHub(world, { api: "https://api.github.com", repository: "acme/models", secret: SECRET });
  const gitlab = gitLab(world, { api: "https://gitlab.com/api/v4", project: "42", secret: SECRET });
  const calls = [
    ...Object.values(hubCalls).map(run => () => run(github)),
    ...Object.values(labCalls).map(run => () => run(gitlab)),
  ];
  const seen = { answered: 0, codes: new Map<string, number>() };
  for (let n = 0; n < 2000; n++) {
    // Pauses that were asked for are over.
    clock.ms += 3_600_000;
    const error = await calls[n % calls.length]?.().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) seen.answered++;
    else {
      expect(error).toBeInstanceOf(MusterError);
      const { code, message, details } = error as MusterError;
      expect(message).not.toContain(SECRET);
      expect(message.length).toBeLessThan(500);
      expect(code).not.toBe("internal");
      const { retryAt = clock.ms + 1 } = details as { retryAt?: number };
      expect(retryAt).toBeGreaterThan(clock.ms);
      expect(retryAt).toBeLessThanOrEqual(clock.ms + 3_600_000);
      seen.codes.set(code, (seen.codes.get(code) ?? 0) + 1);
    }
  }
  expect(seen.answered).toBeGreaterThan(100);
  for (const code of ["unavailable", "unauthenticated", "forbidden", "not_found", "conflict", "invalid_request"])
    expect(seen.codes.get(code) ?? 0).toBeGreaterThan(20);
});

test("an App's calls as well: neither its key nor a token that makes no sense is shown", async () => {
  const next = maker(7);
  const signer = { rs256: () => "signature" };
  for (let n = 0; n < 500; n++) {
    const world = { outbound: { send: async () => next() }, clock: { now: () => 1_800_000_000_000 }, signer };
    const secret = `12345\n-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`;
    const app = gitHub(world, { api: "https://api.github.com", repository: "acme/models", secret });
    const error = await Checks.createCheck(app, SHA, check).catch((thrown: unknown) => thrown);
    if (typeof error === "number") continue;
    expect(error).toBeInstanceOf(MusterError);
    expect((error as MusterError).message).not.toContain(SECRET);
  }
});
