/**
 * What is asked of the forge, and who may have something run by a comment: the real verbs on SQLite in memory, with payloads
 * that GitHub recorded, and a GitHub that the test plays.
 */
import { approve } from "@muster/core/approval/approve.ts";
import { byName } from "@muster/core/cluster/find.ts";
import * as Delivery from "@muster/core/hook/delivery.ts";
import { process as workOff } from "@muster/core/hook/process.ts";
import { set } from "@muster/core/hook/set.ts";
import { find as findJob } from "@muster/core/job/read.ts";
import { taskOf } from "@muster/core/job/submission.ts";
import * as Keys from "@muster/core/keys.ts";
import { describe, expect, test } from "vitest";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";
import { envsOf, fresh, pulled, pushed, RUN, SHA } from "./payloads.ts";
import {
  asContents,
  change,
  deliver,
  example,
  fromGithub,
  jobsIn,
  look,
  makeHook,
  outside,
  storeToken,
} from "./support.ts";

describe("what is asked of the forge", () => {
  const REPO = "/repos/Codertocat/Hello-World";

  test("a task file is read at the very commit, with the repository as its working folder", async () => {
    const world = testWorld();
    await storeToken(world);
    const rules = [{ events: ["push"], file: "ci/train.yaml", settings: { cluster: "ci", priority: 7 } }];
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules });
    const outer = outside(world);
    outer.forge.says.set(
      `GET ${REPO}/contents/ci/train.yaml`,
      asContents("name: train\nworkdir: .\nrun: make train\n"),
    );
    const { state, results, message } = await deliver(outer, hook, fromGithub(hook.secret.text, "push", pushed()));
    expect([state, message, results[0]?.clusterName]).toEqual(["launched", undefined, "ci"]);
    const [asked] = outer.forge.asked;
    expect(asked?.url).toBe(`https://api.github.com${REPO}/contents/ci/train.yaml?ref=${SHA}`);
    expect(asked?.headers.authorization).toBe("Bearer ghp_0123456789abcdef");
    const job = await findJob(world, ADA, results[0]?.jobId ?? "");
    const task = await taskOf(world.table, job);
    expect([job.name, job.priority, task.run]).toEqual(["train", 7, "make train"]);
    expect(task.workdir).toEqual({ url: "https://github.com/Codertocat/Hello-World.git", ref: SHA });
  });

  test.each([
    ["is not there", undefined, /not_found|404/],
    ["is broken", "run: [", /ci\/train\.yaml/],
    ["has files of somebody's machine", "run: x\nfile_mounts:\n  /data: ~/data\n", /file of somebody's machine/],
    ["has the value of a secret", "run: x\nsecrets:\n  KEY: abc\n", /store it in the workspace/],
    ["has two tasks", "name: p\n---\nrun: a\n---\nrun: b\n", /launches one/],
    ["runs nothing", "name: x\n", /nothing to run/],
    ["names a folder within", "workdir: src\nrun: x\n", /the whole repository/],
  ])("a task file that %s fails its rule alone, with the reason", async (_, text, reason) => {
    const world = testWorld();
    await storeToken(world);
    const rules = [
      { events: ["push"], file: "ci/train.yaml" },
      { events: ["push"], launch: RUN },
    ];
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules });
    const outer = outside(world);
    if (text !== undefined) outer.forge.says.set(`GET ${REPO}/contents/`, asContents(text));
    const { results } = await deliver(outer, hook, fromGithub(hook.secret.text, "push", pushed()));
    expect(results.map(({ outcome }) => outcome)).toEqual(["failed", "launched"]);
    expect(results[0]?.message).toMatch(reason);
  });

  test("secrets of a task file without values are the workspace's", async () => {
    const world = testWorld();
    await storeToken(world);
    await storeToken(world, "HF_TOKEN");
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules: [{ events: ["push"], file: "t.yaml" }] });
    const outer = outside(world);
    outer.forge.says.set(`GET ${REPO}/contents/`, asContents("run: x\nsecrets:\n  HF_TOKEN:\n"));
    const { results } = await deliver(outer, hook, fromGithub(hook.secret.text, "push", pushed()));
    expect(results[0]?.message).toBeUndefined();
    const task = await taskOf(world.table, await findJob(world, ADA, results[0]?.jobId ?? ""));
    expect(task.storedSecrets).toEqual(["HF_TOKEN"]);
  });

  test("the paths of a pull request are asked for, and only where a rule needs them", async () => {
    const world = testWorld();
    await storeToken(world);
    const rules = [{ events: ["pull_request"], paths: ["src/**"], launch: RUN }];
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules });
    const outer = outside(world);
    const { number } = pulled();
    outer.forge.says.set(`GET ${REPO}/pulls/${number}/files`, [{ filename: "docs/a.md" }]);
    const first = await deliver(outer, hook, fromGithub(hook.secret.text, "pull_request", pulled()));
    expect([first.state, first.message]).toEqual(["skipped", "none of the 1 changed path fits src/**"]);
    outer.forge.says.set(`GET ${REPO}/pulls/${number}/files`, [{ filename: "x", previous_filename: "src/x" }]);
    const second = await deliver(outer, hook, fromGithub(hook.secret.text, "pull_request", pulled()));
    expect(second.state).toBe("launched");
    await set(world, ADA, "ci", change({ rules: [{ events: ["pull_request"], launch: RUN }] }));
    const before = outer.forge.asked.length;
    await deliver(outer, hook, fromGithub(hook.secret.text, "pull_request", pulled()));
    expect(outer.forge.asked.length).toBe(before);
  });

  test("a forge that is not there is asked again later, and in the end the delivery has failed", async () => {
    const world = testWorld();
    await storeToken(world);
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules: [{ events: ["push"], file: "t.yaml" }] });
    const outer = outside(world);
    outer.outbound.send = async () => ({ status: 503, headers: {}, body: "" });
    const sent = fromGithub(hook.secret.text, "push", pushed());
    const first = await deliver(outer, hook, sent);
    expect([first.state, first.message]).toEqual(["pending", expect.stringMatching(/503/)]);
    const ref = { workspace: ADA.workspace, id: first.id };
    const begun = world.clock.now();
    // Before its time nothing is done.
    await workOff(outer, ref);
    expect((await Delivery.find(world.table, ADA.workspace, first.id))?.tries).toBe(1);
    for (let time = 0; time < 40; time++) {
      const dueAt = (await Delivery.find(world.table, ADA.workspace, first.id))?.dueAt;
      if (dueAt === undefined) break;
      world.clock.pass(Math.max(0, dueAt - world.clock.now()));
      await workOff(outer, ref);
    }
    expect((await look(world, first.id)).state).toBe("failed");
    expect(world.clock.now() - begun).toBeGreaterThan(3_600_000);
  });
});

test("a stranger's commit that is approved of has none of the workspace's secrets: whoever asks for one is refused", async () => {
  const world = testWorld();
  await storeToken(world);
  const launch = { task: { run: "env", storedSecrets: ["FORGE_TOKEN"] } };
  const hook = await makeHook(world, { rules: [{ events: ["pull_request"], launch }] });
  const own = await deliver(outside(world), hook, fromGithub(hook.secret.text, "pull_request", pulled()));
  expect([own.state, jobsIn(world)]).toEqual(["launched", 1]);
  const held = await deliver(
    outside(world),
    hook,
    fromGithub(hook.secret.text, "pull_request", pulled({ fork: true })),
  );
  expect(held.state).toBe("held");
  await approve(world, ADA, hook.id, held.id);
  await workOff(outside(world), { workspace: ADA.workspace, id: held.id });
  const done = await look(world, held.id);
  expect([done.state, jobsIn(world)]).toEqual(["failed", 1]);
  expect(done.message).toMatch(/may not have: task\.storedSecrets/);
});

test("an approval that comes while a delivery of its commit is being held lets that one be run as well", async () => {
  const world = testWorld();
  const hook = await makeHook(world, { rules: [{ events: ["pull_request"], launch: RUN }] });
  const send = () => fromGithub(hook.secret.text, "pull_request", pulled({ fork: true }));
  const first = await deliver(outside(world), hook, send());
  const outer = outside(world);
  let looks = 0;
  const get: typeof world.table.get = async key => {
    // Once it was found that nobody had approved, and before that is written down.
    if (key.sk.startsWith(Keys.APPROVAL) && ++looks === 2) await approve(world, ADA, hook.id, first.id);
    return world.table.get(key);
  };
  const second = await deliver({ ...outer, table: { ...world.table, get } }, hook, send());
  expect([looks, second.state]).toEqual([2, "pending"]);
  await workOff(outer, { workspace: ADA.workspace, id: second.id });
  expect((await look(world, second.id)).state).toBe("launched");
});

describe("comments", () => {
  const REPO = "/repos/Codertocat/Hello-World";
  const RULES = [{ events: ["issue_comment"], comment: "/muster launch gpu", launch: RUN }];

  function commented(body: string, more: { action?: string; login?: string } = {}) {
    const payload = example("issue_comment", "created") as unknown as {
      action: string;
      comment: { body: string; at?: number };
      issue: { number: number; pull_request?: object };
      sender: { login: string };
    };
    payload.action = more.action ?? "created";
    payload.comment.body = body;
    payload.comment.at = fresh();
    payload.issue.pull_request = { url: "https://api.github.com/x" };
    payload.sender.login = more.login ?? "ada";
    return payload;
  }

  function forgeOf(world: TestWorld, permission: string, head: { repo?: string; sha?: string } = {}) {
    const outer = outside(world);
    const { number } = commented("").issue;
    outer.forge.says.set(`GET ${REPO}/collaborators/ada/permission`, { permission });
    outer.forge.says.set(`GET ${REPO}/pulls/${number}`, {
      ...{ number, state: "open", base: { sha: "b".repeat(40), ref: "main" } },
      head: { sha: head.sha ?? SHA, ref: "topic", repo: { full_name: head.repo ?? "Codertocat/Hello-World" } },
    });
    return outer;
  }

  async function stage(input: object = {}) {
    const world = testWorld();
    await storeToken(world);
    const hook = await makeHook(world, { token: "FORGE_TOKEN", rules: RULES, ...input });
    return { world, hook };
  }

  test("of somebody who may write launches at the head of the pull request", async () => {
    const { world, hook } = await stage();
    const sent = fromGithub(hook.secret.text, "issue_comment", commented("Let us see.\r\n  /muster   launch gpu \r\n"));
    const { state, results } = await deliver(forgeOf(world, "write"), hook, sent);
    expect(state).toBe("launched");
    const envs = await envsOf(world, results[0]?.jobId);
    expect([envs.MUSTER_GIT_SHA, envs.MUSTER_GIT_REF, envs.MUSTER_GIT_BRANCH]).toEqual([
      SHA,
      "refs/heads/topic",
      "main",
    ]);
    expect(envs.MUSTER_COMMENT).toContain("Let us see.");
  });

  test.each(["read", "none", "triage"])("of somebody who may %s launches nothing", async permission => {
    const { world, hook } = await stage();
    const sent = fromGithub(hook.secret.text, "issue_comment", commented("/muster launch gpu"));
    const { state, message } = await deliver(forgeOf(world, permission), hook, sent);
    expect([state, message, jobsIn(world)]).toEqual(["skipped", "ada may not: it is for write", 0]);
  });

  test("of somebody who is named launches without asking what they may", async () => {
    const { world, hook } = await stage({ rules: [{ ...RULES[0], by: ["Ada"] }] });
    const outer = forgeOf(world, "none");
    expect(
      (await deliver(outer, hook, fromGithub(hook.secret.text, "issue_comment", commented("/muster launch gpu"))))
        .state,
    ).toBe("launched");
    expect(outer.forge.asked.filter(({ url }) => url.includes("permission"))).toEqual([]);
    const eve = commented("/muster launch gpu", { login: "eve" });
    expect((await deliver(outer, hook, fromGithub(hook.secret.text, "issue_comment", eve))).message).toBe(
      "eve may not: it is for Ada",
    );
  });

  test.each([
    ["is quoted", "> /muster launch gpu", {}],
    ["goes on", "/muster launch gpu please", {}],
    ["was edited", "/muster launch gpu", { action: "edited" }],
    ["was deleted", "/muster launch gpu", { action: "deleted" }],
    ["says something else", "hello", {}],
  ])("that %s launches nothing, and nobody is asked", async (_, text, more) => {
    const { world, hook } = await stage();
    const outer = forgeOf(world, "admin");
    const { state } = await deliver(outer, hook, fromGithub(hook.secret.text, "issue_comment", commented(text, more)));
    expect([state, jobsIn(world), outer.forge.asked.length]).toEqual(["skipped", 0, 0]);
  });

  test("without a token cannot be judged, and its hook is refused unless it names who may", async () => {
    const world = testWorld();
    await expect(makeHook(world, { rules: RULES })).rejects.toMatchObject({ code: "invalid_request" });
    await expect(makeHook(world, { rules: [{ ...RULES[0], by: ["ada"] }] })).resolves.toBeDefined();
  });

  test("about a stranger's pull request is held, whoever asks", async () => {
    const { world, hook } = await stage();
    const sent = fromGithub(hook.secret.text, "issue_comment", commented("/muster launch gpu"));
    const { state, message } = await deliver(forgeOf(world, "admin", { repo: "stranger/fork" }), hook, sent);
    expect([state, jobsIn(world)]).toEqual(["held", 0]);
    expect(message).toContain(`/muster approve ${SHA.slice(0, 12)}`);
  });

  test("by which a maintainer approves lets that very commit be run, alone and without what is the workspace's", async () => {
    const { world, hook } = await stage({
      rules: [{ events: ["pull_request"], launch: { ...RUN, cluster: "shared", shared: true } }],
    });
    const outer = forgeOf(world, "write", { repo: "stranger/fork" });
    const held = await deliver(outer, hook, fromGithub(hook.secret.text, "pull_request", pulled({ fork: true })));
    expect([held.state, jobsIn(world)]).toEqual(["held", 0]);
    const ref = { workspace: ADA.workspace, id: held.id };
    const say = (text: string, login?: string) =>
      deliver(outer, hook, fromGithub(hook.secret.text, "issue_comment", commented(text, login ? { login } : {})));
    expect((await say(`/muster approve ${"c".repeat(12)}`)).message).toMatch(/not the head/);
    expect((await say(`/muster approve ${SHA}`, "eve")).message).toMatch(/may not write/);
    await workOff(outer, ref);
    expect([(await look(world, held.id)).state, jobsIn(world)]).toEqual(["held", 0]);
    expect((await say(`/muster approve ${SHA.slice(0, 12)}`)).message).toMatch(/approved of/);
    await workOff(outer, ref);
    const done = await look(world, held.id);
    expect([done.state, jobsIn(world)]).toEqual(["launched", 1]);
    expect(await byName(world.table, ADA.workspace, "shared")).toBeUndefined();
    // The next commit is another one.
    const next = pulled({ fork: true, sha: "d".repeat(40) });
    expect((await deliver(outer, hook, fromGithub(hook.secret.text, "pull_request", next))).state).toBe("held");
  });
});
