/** GitLab from its request to the job: the real verbs on SQLite in memory, bodies of GitLab's documentation, and a GitLab that the test plays. */
import { find as findJob } from "@muster/core/job/read.ts";
import { taskOf } from "@muster/core/job/submission.ts";
import { describe, expect, test } from "vitest";
import { ADA, testWorld } from "../../support/world.ts";
import { mergeRequest, noteOnMerge, push } from "./gitlab-payloads.ts";
import { RUN } from "./payloads.ts";
import { asStandard, deliver, fromGitlab, jobsIn, makeHook, outside, storeToken } from "./support.ts";

async function stage(rules: object[]) {
  const world = testWorld();
  await storeToken(world);
  const hook = await makeHook(world, {
    forge: "gitlab",
    api: "https://git.acme.com/api/v4",
    token: "FORGE_TOKEN",
    rules,
  });
  return { world, hook, outer: outside(world) };
}

test("a push launches a task file of its commit, read with the hook's token at the hook's own GitLab", async () => {
  const { world, hook, outer } = await stage([{ events: ["push"], branches: ["master"], file: "ci/train.yaml" }]);
  outer.forge.says.set("GET /api/v4/projects/15/repository/files/", "run: make\nworkdir: .\n");
  const { results, state } = await deliver(outer, hook, fromGitlab(hook.secret.text, push));
  expect([state, results[0]?.message]).toEqual(["launched", undefined]);
  const [asked] = outer.forge.asked;
  expect(asked?.url).toBe(
    `https://git.acme.com/api/v4/projects/15/repository/files/ci%2Ftrain.yaml/raw?ref=${push.checkout_sha}`,
  );
  expect(asked?.headers["private-token"]).toBe("ghp_0123456789abcdef");
  const { workdir, envs } = await taskOf(world.table, await findJob(world, ADA, results[0]?.jobId ?? ""));
  expect(workdir).toEqual({ url: "https://git.acme.com/mike/diaspora.git", ref: push.checkout_sha });
  expect(envs).toMatchObject({
    MUSTER_GIT_BRANCH: "master",
    MUSTER_SENDER: "jsmith",
    MUSTER_GIT_REPOSITORY: "mike/diaspora",
  });
});

test("what is signed is taken as well, and a merge request of another project is held", async () => {
  const { world, hook, outer } = await stage([{ events: ["merge_request.open"], launch: RUN }]);
  const sent = asStandard(hook.secret.standard, mergeRequest, world.clock.now());
  const { state, message } = await deliver(outer, hook, sent);
  expect([state, jobsIn(world)]).toEqual(["held", 0]);
  expect(message).toContain(mergeRequest.object_attributes.last_commit.id.slice(0, 12));
});

describe("a note", () => {
  const own = structuredClone(noteOnMerge);
  own.merge_request.source_project_id = own.merge_request.target_project_id;

  test.each([
    ["a guest", 10, "skipped"],
    ["a reporter", 20, "skipped"],
    ["a developer", 30, "launched"],
    ["a maintainer", 40, "launched"],
  ])("of %s is %s", async (_, level, state) => {
    const { hook, outer } = await stage([{ events: ["note"], comment: "/muster launch gpu", launch: RUN }]);
    outer.forge.says.set("GET /api/v4/projects/5/members/all", [
      { username: "root", access_level: level, state: "active" },
      { username: "root2", access_level: 50, state: "active" },
    ]);
    expect((await deliver(outer, hook, fromGitlab(hook.secret.text, own))).state).toBe(state);
  });

  test("of somebody who is no member launches nothing", async () => {
    const { hook, outer } = await stage([{ events: ["note"], comment: "/muster launch gpu", launch: RUN }]);
    outer.forge.says.set("GET /api/v4/projects/5/members/all", []);
    const { state, message } = await deliver(outer, hook, fromGitlab(hook.secret.text, own));
    expect([state, message]).toEqual(["skipped", "root may not: it is for write"]);
  });
});
