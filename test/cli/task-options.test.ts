/** What commands make of drafts before anything is sent: pure functions, and a client of ours that has secrets to list. */
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { type ClusterDraft, type Draft, empty, type Missing } from "@muster/task/draft.ts";
import { type Result, read } from "@muster/task/read.ts";
import { describe, expect, test } from "vitest";
import { refusal, requireTask, withCluster } from "../../packages/cli/src/cluster-file.ts";
import { living, queueing } from "../../packages/cli/src/task-options.ts";
import { complete, given, secretOption, settled } from "../../packages/cli/src/task-secrets.ts";

const draft = (task: Partial<Draft["task"]> = {}, more: Partial<Draft> = {}): Draft => {
  const made = empty("stop");
  return { ...made, ...more, task: { ...made.task, run: "true", ...task } };
};
const lacking = (name: string, kind: Missing["kind"] = "secrets"): Missing => ({
  name,
  kind,
  at: { path: `${kind}.${name}` },
});

const failure = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return error instanceof MusterError
      ? { code: error.code, message: error.message, hint: error.details.hint }
      : error;
  }
};

describe("--secret", () => {
  const collect = secretOption({ OWN: "mine", EMPTY: "" });

  test("takes a value, one's own variable, or else means the workspace's", () => {
    expect(collect("A=b=c", collect("OWN", collect("STORED", collect("EMPTY"))))).toEqual({
      A: "b=c",
      OWN: "mine",
      STORED: undefined,
      EMPTY: undefined,
    });
    expect(collect("A=")).toEqual({ A: "" });
    for (const wrong of ["", "=x", "A-B", "1A=x"]) expect(() => collect(wrong)).toThrow("Write NAME=value");
  });

  test("stands over what the file says of the name, wherever that is", () => {
    const file = draft(
      { envs: { A: "env", B: "env" }, secrets: { C: "own", D: "own" }, storedSecrets: ["E", "F"] },
      { missing: [lacking("G"), lacking("H")] },
    );
    const { task, missing } = given(file, { secret: { A: "x", C: "y", D: undefined, E: "z", G: "g" } });
    expect(task).toMatchObject({ envs: { B: "env" }, secrets: { A: "x", C: "y", E: "z", G: "g" } });
    expect([task.storedSecrets, missing.map(({ name }) => name)]).toEqual([["F", "D"], ["H"]]);
    expect(Object.keys(task.secrets)).not.toContain("D");
  });

  test("-e stands over a secret that the file names, and a value that came too late for a path is still missing", () => {
    expect(given(draft({ storedSecrets: ["A", "B"] }), { env: { A: "x" } }).task.storedSecrets).toEqual(["B"]);
    // Said in both ways it is a secret: a variable must not get lost between them.
    const both = given(draft({ envs: { A: "x" } }), { env: { A: "x" }, secret: { A: undefined } });
    expect(both.task).toMatchObject({ envs: {}, storedSecrets: ["A"] });
    const buckets = [{ path: "/data", source: "s3://$BUCKET/x", mode: "copy" as const }];
    const late = given(draft({}, { missing: [lacking("BUCKET")], buckets }), { secret: { BUCKET: "b" } });
    expect(late.missing).toHaveLength(1);
  });
});

describe("variables without a value", () => {
  const asked: string[] = [];
  const workspace =
    (...names: string[]) =>
    async () =>
      ({
        secrets: {
          list: async () => {
            asked.push("list");
            return { items: names.map(name => ({ name })) };
          },
        },
      }) as unknown as Client;
  const nobody = () => Promise.reject(new Error("asked"));

  test("are taken from the workspace's secrets; nobody is asked who could not help", async () => {
    const plain = draft();
    expect(await settled(nobody, plain)).toBe(plain);
    await expect(
      settled(nobody, draft({}, { missing: [lacking("EPOCHS", "envs"), lacking("T")] })),
    ).rejects.toMatchObject({
      details: { issues: [{ path: "envs.EPOCHS" }, { path: "secrets.T" }] },
    });
    const found = await settled(workspace("T", "U"), draft({ storedSecrets: ["U"] }, { missing: [lacking("T")] }));
    expect([found.task.storedSecrets, found.missing, asked.splice(0)]).toEqual([["U", "T"], [], ["list"]]);
    await expect(settled(workspace("U"), draft({}, { missing: [lacking("T")] }))).rejects.toMatchObject({
      details: { issues: [{ path: "secrets.T", suggestion: expect.stringContaining("muster secrets set T") }] },
    });
  });

  test("a secret that is named and not there is refused before anything is sent", async () => {
    await expect(settled(workspace("HF_TOKEN"), draft({ storedSecrets: ["HF_TOKNE"] }))).rejects.toMatchObject({
      code: "not_found",
      message: "the workspace has no secret 'HF_TOKNE'",
      details: { hint: expect.stringMatching(/^did you mean HF_TOKEN\?/) },
    });
    await expect(settled(workspace(), draft({ storedSecrets: ["A", "B"] }))).rejects.toThrow("no secrets A, B");
  });
});

test("one's own GIT_TOKEN goes along with a git repository, unless the task or the command says another", async () => {
  const connect = () => Promise.reject(new Error("asked"));
  const cli = { connect, env: { GIT_TOKEN: "mine" } };
  const git = draft({}, { workdir: { url: "https://example.com/x.git" } });
  expect((await complete(cli, git, {})).task.secrets).toEqual({ GIT_TOKEN: "mine" });
  expect((await complete(cli, git, { secret: { GIT_TOKEN: "other" } })).task.secrets).toEqual({ GIT_TOKEN: "other" });
  expect((await complete(cli, draft({}, { workdir: "." }), {})).task.secrets).toEqual({});
});

test("the command's priority stands over the file's", () => {
  expect(queueing({}, {})).toEqual({});
  expect(queueing({}, { priority: 7 })).toEqual({ priority: 7 });
  expect(queueing({ priority: 0 }, { priority: 7 })).toEqual({ priority: 0 });
  expect(queueing({ group: "head" }, {})).toEqual({ group: "head" });
  expect(queueing({ force: true }, {})).toEqual({ force: true });
  expect(queueing({ ifBusy: "fail" }, {})).toEqual({ onBusy: "fail" });
});

test("what the command says of a cluster's hosts stands over the file", () => {
  expect(living({}, {})).toEqual({});
  expect(living({ maxLifetime: 5 }, { maxConcurrentJobs: 2 })).toEqual({ maxLifetime: 5, maxConcurrentJobs: 2 });
  expect(living({ maxConcurrentJobs: 1 }, { maxConcurrentJobs: 2 })).toEqual({ maxConcurrentJobs: 1 });
});

describe("a file that has clusters", () => {
  const group = { name: "workers", nodes: 2, resources: {}, schedulable: true };
  const cluster = (name?: string): ClusterDraft => ({
    ...(name !== undefined && { name }),
    groups: [group],
    idle: "never",
  });
  const result = (more: Partial<Result>): Result => ({
    dialect: "flambe",
    tasks: [],
    warnings: ["w"],
    unsupported: [],
    ...more,
  });

  test("is made by up: its only cluster, or the one that is meant", () => {
    const one = withCluster(result({ clusters: [cluster("lab")] }), "f.yaml", undefined);
    expect(one).toMatchObject({
      cluster: "lab",
      result: { warnings: ["w"], tasks: [{ groups: [group], idle: "never" }] },
    });
    expect(withCluster(result({ clusters: [cluster()] }), "f.yaml", undefined)).not.toHaveProperty("cluster");
    const two = result({ clusters: [cluster("a"), cluster("b")] });
    expect(failure(() => withCluster(two, "f.yaml", undefined))).toMatchObject({
      code: "invalid_request",
      message: "f.yaml has 2 clusters: a, b",
      hint: "make one of them with: muster up f.yaml --only NAME",
    });
    expect(withCluster(two, "f.yaml", "b").cluster).toBe("b");
    expect(failure(() => withCluster(two, "f.yaml", "c"))).toMatchObject({ code: "not_found", hint: "it has: a, b" });
    const task = read("run: 'true'");
    expect(withCluster(task, "f.yaml", undefined).result).toBe(task);
    expect(failure(() => withCluster(task, "f.yaml", "b"))).toMatchObject({ code: "invalid_request" });
  });

  test("takes no options of task files: what is refused of it says what can be typed", () => {
    const hint =
      "run it here with: --groups.0.resources.cloud local; or, for every file that says it: muster targets set aws --provider local";
    expect(refusal(new MusterError("unsupported", "m", { hint }))).toMatchObject({
      code: "unsupported",
      message: "m",
      details: { hint: "say what it is here: muster targets set aws --provider local" },
    });
    const other = new MusterError("no_offer", "m", { hint: "another" });
    expect(refusal(other)).toMatchObject({ details: { hint: "another" } });
  });

  test("has nothing to launch, and says what to do instead", () => {
    expect(failure(() => requireTask(result({ clusters: [cluster("lab")] }), "f.yaml"))).toMatchObject({
      code: "invalid_request",
      hint: expect.stringContaining("muster up f.yaml"),
    });
    expect(failure(() => requireTask(result({ targets: [{ name: "t", resources: {} }] }), "f.yaml"))).toMatchObject({
      hint: expect.stringContaining("--target NAME"),
    });
    expect(failure(() => requireTask(read("run: 'true'"), "f.yaml"))).toBeUndefined();
  });
});
