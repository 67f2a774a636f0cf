/** Files of hooks: read as the command reads them, and judged by the schema of the API. Nothing is sent. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Change } from "@muster/core/hook/hook.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHooks } from "../../../packages/cli/src/hooks/file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "muster-hooks-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(text: string) {
  writeFileSync(join(folder, "hooks.yaml"), text);
  const all = await readHooks(folder, "hooks.yaml");
  return all.map(({ name, change }) => ({ name, change: Change.parse(change) }));
}

test("the example is a hook that the API takes", async () => {
  const [one] = await readHooks(process.cwd(), "examples/hooks.yaml");
  const change = Change.parse(one?.change);
  expect([one?.name, change.forge, change.token, change.rules.length]).toEqual(["train", "github", "GITHUB_TOKEN", 3]);
  const [main, gpu, demand] = change.rules;
  expect(main).toMatchObject({ events: ["push"], branches: ["main"], cancelOlder: true, checkout: true });
  expect(main?.launch?.task).toMatchObject({ name: "checks", run: expect.stringContaining("make test") });
  expect(main?.launch?.task.workdir).toBeUndefined();
  expect(gpu).toMatchObject({ file: "ci/gpu.yaml", labels: ["gpu"] });
  expect(demand).toMatchObject({ comment: "/muster launch gpu", by: ["write"], settings: { cluster: "ci-gpu" } });
});

test("one word stands for a list of one, and what a launch is told goes with its task", async () => {
  const [one] = await read(`
name: x
forge: gitlab
rules:
  - on: push
    branches: main
    task: {run: make, num_nodes: 2}
    cluster: ci
    max_lifetime: 60
    down: true
`);
  expect(one?.change.rules[0]).toMatchObject({
    ...{ events: ["push"], branches: ["main"] },
    launch: { cluster: "ci", maxLifetime: 60, down: true, task: { run: "make", nodes: 2 } },
  });
});

test("a file has as many hooks as it has documents", async () => {
  const rule = "rules: [{on: push, task: a.yaml}]";
  const all = await read(`name: a\nforge: github\n${rule}\n---\nname: b\nforge: github\n${rule}\n`);
  expect(all.map(({ name }) => name)).toEqual(["a", "b"]);
});

describe("what is wrong is told with its place", () => {
  test.each([
    ["", /nothing in it/],
    ["- a", /is no hook/],
    ["name: x\nforge: github\nrules: []\nrulez: 1", /rulez: is not a key that belongs here/],
    ["name: x\nforge: github\nrules: 7", /rules: is a list/],
    ["name: -x-\nforge: github\nrules: [{on: push, task: a}]", /name: /],
    ["name: x\nforge: github\nrules: [push]", /rules\.0: is no rule/],
    ["name: x\nforge: github\nrules: [{on: push}]", /rules\.0\.task: is the path/],
    ["name: x\nforge: github\nrules: [{on: push, task: a, branch: b}]", /rules\.0\.branch: is not a key/],
    ["name: x\nforge: github\nrules: [{on: push, task: {rum: x}}]", /rum/],
    ["name: x\nforge: github\nrules: [{on: push, task: {run: x, file_mounts: {/a: ./a}}}]", /somebody's machine/],
    ["name: x\nname: y\nforge: github\nrules: []", /twice/],
  ])("%j", async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });
});
