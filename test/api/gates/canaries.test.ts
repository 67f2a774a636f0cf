/**
 * Ran against: every route of the table, with secrets that are found again wherever they come up: values of tasks, of files and
 * of the workspace, tokens of people, programs, hosts and git. The real handlers and reconcilers over SQLite in memory, in process;
 * what is looked through is all that was answered, logged, written to the table and to blobs, handed to the state
 * machine, and said of machines (their user data and tags are made of that).
 */
import type { HttpAnswer } from "@muster/api/http.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import { ringAll } from "../../support/rings.ts";
import type { TestWorld } from "../../support/world.ts";
import { BODIES } from "./decisions.ts";
import { furnish, type Held } from "./furnish.ts";
import { operations } from "./spec.ts";
import { type Ask, jsonOf, openStage, passFor, type Stage } from "./stage.ts";
import { paramsOf } from "./tenancy-support.ts";

const canary = (place: string): string => `canary-${place}-7f3a9c2e51d84b06`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const FILE = base64(canary("file"));
/** Any canary, plain or as it looks in base64 from whichever byte on. */
const CANARY = new RegExp(
  ["canary-", base64("canary-").slice(0, 8), base64("xcanary-").slice(2, 9), base64("xxcanary-").slice(3, 10)].join(
    "|",
  ),
);

const task = {
  run: "true",
  secrets: { PASSWORD: canary("secret"), GIT_TOKEN: canary("git") },
  secretFiles: { "/root/key": FILE },
  storedSecrets: ["AC_KEY"],
};
/** Bodies that hold a secret, beside those that hold none. */
const SECRETS: Readonly<Record<string, object>> = {
  "launches.create": { task, cluster: "ac-demo" },
  "launches.plan": { task, cluster: "ac-demo" },
  "jobs.submit": { task },
  "jobs.rerun": { secrets: task.secrets, secretFiles: task.secretFiles },
  "jobGroups.create": {
    name: "g",
    tasks: [{ task: { ...task, name: "a" } }, { task: { ...task, name: "b" } }],
    cluster: "ac-two",
  },
  "secrets.set": { value: canary("stored") },
  "pools.set": { size: 1, launch: { task: { ...task, run: undefined, setup: "true" } } },
  "schedules.set": { cron: "0 * * * *", timeZone: "UTC", launch: { task } },
};

interface Watched {
  readonly stage: Stage;
  readonly held: Held;
  readonly answers: { readonly id: string; readonly answer: HttpAnswer }[];
  readonly told: unknown[];
  /** What the table does from now on. */
  fate: "well" | "breaks" | "busy" | "conflict";
}

async function open(): Promise<Watched> {
  const told: unknown[] = [];
  const watched: { fate: Watched["fate"] } = { fate: "well" };
  const stage = openStage(world => ({ ...world, ...spied(world, told, () => watched.fate) }));
  const held = await furnish(stage, "acme", "ac");
  return Object.assign(watched, { stage, held, answers: [], told });
}

/** The ports through which something may get out. */
const spied = (world: TestWorld, told: unknown[], fate: () => Watched["fate"]): Partial<TestWorld> => ({
  workflow: {
    start: async (...all) => {
      told.push(["workflow", all]);
      return false;
    },
  },
  blobs: {
    ...world.blobs,
    put: async (key, bytes, ...rest) => {
      told.push(["blob", key, Buffer.from(bytes).toString("latin1")]);
      return world.blobs.put(key, bytes, ...rest);
    },
  },
  table: {
    ...world.table,
    write: async writes => {
      if (fate() === "breaks") throw new Error("the disk is full");
      if (fate() === "busy") throw new MusterError("busy", "not now");
      if (fate() === "conflict") throw new WriteConflict([]);
      return world.table.write(writes);
    },
  },
});

async function send(watched: Watched, id: string, ask: Ask = {}): Promise<HttpAnswer> {
  const { stage, held, answers } = watched;
  const operation = operations.find(one => one.id === id);
  if (operation === undefined) throw new Error(`there is no ${id}`);
  const body = SECRETS[id] ?? BODIES[id];
  const answer = await stage.send(id, {
    ...passFor(held.passes, id),
    params: paramsOf(operation, held),
    ...(body !== undefined && { body }),
    ...ask,
  });
  answers.push({ id, answer });
  return answer;
}

/** Whom secrets are for: the host that runs the job, when it is told to. */
const MEANT = ["agent.poll"];

function expectNone({ stage, answers, told }: Watched): void {
  const { world, logged } = stage;
  const places = {
    answers: answers.filter(({ id }) => !MEANT.includes(id)),
    logged,
    told,
    table: world.changes,
    machines: world.provider.intents,
    kicks: world.provider.kicks,
    dead: world.errors,
  };
  for (const [place, found] of Object.entries(places))
    expect([place, nearby(JSON.stringify(found))]).toEqual([place, undefined]);
}

function nearby(text: string): string | undefined {
  const at = text.search(CANARY);
  return at < 0 ? undefined : text.slice(Math.max(0, at - 200), at + 60);
}

/** Everything is called once; with `ending`, what takes things away comes last. */
const order = operations.toSorted((a, b) => Number(a.route.method === "DELETE") - Number(b.route.method === "DELETE"));

test("the watch sees a secret wherever it comes up", async () => {
  for (const text of ["canary-x", ...["", "x", "xx"].map(before => base64(`${before}canary-secret`))])
    expect(nearby(`"${text}"`)).toBeDefined();
  const watched = await open();
  watched.stage.world.log.error("it failed", { error: canary("log") });
  expect(() => expectNone(watched)).toThrow(/logged/);
});

test("no route tells a secret to anybody but the host that needs it", async () => {
  const watched = await open();
  const { world } = watched.stage;
  const called = new Set<string>();
  await send(watched, "secrets.set", { params: { name: "AC_KEY" } });
  for (const { id } of order) {
    await send(watched, id, { key: `once-${id}` });
    called.add(id);
  }
  await ringAll({ ...world, changes: [...world.changes] });
  // What was called meanwhile has frozen the workspace, and taken the secret away.
  await send(watched, "freeze.set", { body: { frozen: false } });
  await send(watched, "secrets.set", { params: { name: "AC_KEY" } });
  const job = jsonOf(await send(watched, "launches.create", { body: { task, cluster: "fresh" } }));
  expect(job.job?.id).toMatch(/^job_/);
  await reconcile(world, { workspace: "acme", clusterId: job.cluster.id });
  const hostId = world.provider.intents.at(-1)?.hosts[0]?.hostId ?? "";
  const enrollment = world.provider.intents.at(-1)?.hosts[0]?.enrollmentToken;
  const enrolled = await watched.stage.send("agent.enroll", {
    body: { ...BODIES["agent.enroll"], token: enrollment, nonce: world.digest.hash(hostId) },
  });
  const token = `Bearer ${jsonOf(enrolled).hostToken}`;
  const orders = await send(watched, "agent.poll", { token });
  // The canaries do travel: the host that is to run the job is told them.
  for (const place of ["secret", "git", "stored"]) expect(orders.body).toContain(canary(place));
  expect(orders.body).toContain(FILE);
  const { jobId, fence } = jsonOf(orders).assignments[0];
  const ended = { jobId, fence, state: "exited", cause: "exited", exitCode: 1, chunks: 0, logsComplete: true };
  for (const body of [{ jobId, fence, state: "running" }, ended]) await send(watched, "agent.report", { token, body });
  for (const { id, route } of operations) if (route.method === "GET") await send(watched, id);
  expect(called.size).toBe(operations.length);
  expectNone(watched);
});

test.each(["breaks", "busy", "conflict"] as const)("nor does one where the table %s", async fate => {
  const watched = await open();
  watched.fate = fate;
  for (const { id } of order) await send(watched, id, { key: `once-${id}` });
  expect(watched.stage.logged.some(({ level }) => level === "error")).toBe(fate === "breaks");
  expectNone(watched);
});

/** Where a secret may be written by mistake, and what is said of it then. */
const MISTAKES: readonly (readonly [id: string, ask: Ask])[] = [
  ["secrets.set", { body: { value: { text: canary("a") } } }],
  ["secrets.set", { body: { value: `${canary("a")}\u0000` } }],
  ["secrets.set", { body: { value: canary("a").repeat(9_000) } }],
  ["secrets.set", { raw: `{"value": "${canary("a")}` }],
  ["secrets.set", { raw: canary("a") }],
  ["secrets.set", { raw: `{"value": "\\ud800${canary("a")}"}` }],
  ["secrets.set", { raw: `{"value": ${"[".repeat(50)}"${canary("a")}"` }],
  ["launches.create", { body: { task: { run: "true", secrets: { "A-B": canary("a") } } } }],
  ["launches.create", { body: { task: { run: "true", secrets: { A: [canary("a")] } } } }],
  ["launches.create", { body: { task: { run: "true", secrets: canary("a") } } }],
  ["launches.create", { body: { task: { run: "true", secretFiles: { "/x": canary("a") } } } }],
  ["launches.create", { body: { task: { run: "true", secretFiles: [canary("a")] } } }],
  ["launches.create", { body: { task: { workdir: { url: `https://user:${canary("a")}@example.com/x.git` } } } }],
  [
    "launches.create",
    {
      body: { task: { run: "true", packages: [{ method: "pip", source: `https://u:${canary("a")}@example.com/x` }] } },
    },
  ],
  ["launches.create", { body: { task, nodes: canary("a") } }],
  ["launches.create", { body: { task: { ...task, timeout: canary("a") } } }],
  ["jobs.rerun", { body: { secrets: { PASSWORD: 7, OTHER: canary("a") }, secretFiles: canary("a") } }],
  ["tokens.whoami", { token: `Bearer ${canary("a")}` }],
  ["tokens.whoami", { token: `Basic ${base64(canary("a"))}` }],
  ["agent.poll", { token: `Bearer msh_acme.hst_0_0.${canary("a")}` }],
  ["agent.enroll", { body: { ...BODIES["agent.enroll"], token: `mse_${canary("a")}` } }],
  ["agent.enroll", { body: { ...BODIES["agent.enroll"], nonce: canary("a") } }],
  ["launches.create", { key: `${canary("a")} ` }],
];

test("what is wrong with a request is said without saying the secret in it", async () => {
  const watched = await open();
  for (const [id, ask] of MISTAKES) {
    const { statusCode, body } = await send(watched, id, ask);
    expect([id, statusCode >= 400 && statusCode < 500, nearby(body)]).toEqual([id, true, undefined]);
  }
  expectNone(watched);
});

test("a secret that is shown once is kept nowhere, not even for those who ask again", async () => {
  const watched = await open();
  const { world } = watched.stage;
  for (const { id } of order) await send(watched, id, { key: `once-${id}` });
  const text = JSON.stringify([world.changes, watched.stage.logged]);
  // Of uploads and of files the hash is what is asked for.
  const sent = new Set([...JSON.stringify(BODIES).matchAll(/[0-9a-f]{64}/g)].map(([hash]) => hash));
  for (const { id, answer } of watched.answers)
    for (const [shown] of answer.body.matchAll(/(?:mst|msh|mse)_[\w.-]+|whsec_[\w+/=]+|\b[0-9a-f]{64}\b/g))
      if (!sent.has(shown)) expect([id, shown, text.includes(shown)]).toEqual([id, shown, false]);
  const shown = watched.answers.filter(({ answer }) => /mst_tok/.test(answer.body)).map(({ id }) => id);
  expect(shown).toContain("tokens.create");
});
