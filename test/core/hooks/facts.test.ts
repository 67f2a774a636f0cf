/** What events say: payloads that GitHub recorded, and those of GitLab's documentation, read into facts. Nothing is run. */
import { Facts, pathsOf } from "@muster/core/hook/facts.ts";
import * as Github from "@muster/core/hook/github.ts";
import * as Gitlab from "@muster/core/hook/gitlab.ts";
import { judge } from "@muster/core/hook/match.ts";
import { Rule } from "@muster/core/hook/rules.ts";
import { fitting, MOST_BYTES, valuesOf } from "@muster/core/hook/values.ts";
import { describe, expect, test } from "vitest";
import { mergeRequest, noteOnMerge, pipeline, push, tagPush } from "./gitlab-payloads.ts";
import { example, recorded } from "./support.ts";

const SHA = "a".repeat(40);

describe("GitHub", () => {
  const all = recorded.flatMap(({ name, examples }) => examples.map((one, at) => ({ name, at, one })));

  test("every recorded payload is read, and names its sender and its repository where it has them", () => {
    let named = 0;
    for (const { name, one } of all) {
      const facts = Github.factsOf(name, one);
      expect(Facts.parse(facts)).toEqual(facts);
      const { sender, repository } = one as { sender?: { login: string }; repository?: { full_name: string } };
      if (sender) expect(facts.sender).toBe(sender.login);
      if (repository) expect(facts.repository).toBe(repository.full_name);
      named += Number(repository !== undefined);
    }
    expect(all.length).toBeGreaterThan(280);
    expect(named).toBeGreaterThan(200);
  });

  test("every commit that an event names is a stranger's, unless the event proves that it is not", () => {
    const own = new Set(["push", "merge_group", "deployment"]);
    for (const { name, one } of all) {
      const { sha, isForeign, pull } = Github.factsOf(name, one);
      if (sha === undefined || own.has(name)) continue;
      const { pull_request: request, workflow_run: run } = one as {
        pull_request?: { head: { repo: { full_name: string } | null }; base: { repo: { full_name: string } } };
        workflow_run?: { head_repository: { full_name: string } };
      };
      const home = (request?.head.repo ?? run?.head_repository)?.full_name;
      const isOwn = home !== undefined && home === (one as { repository: { full_name: string } }).repository.full_name;
      expect({ name, pull, isForeign: isForeign ?? false }).toEqual({ name, pull, isForeign: !isOwn });
    }
  });

  test("a push says its branch, its commit and its paths", () => {
    const payload = {
      ...example("push"),
      ref: "refs/heads/main",
      before: "b".repeat(40),
      after: SHA,
      deleted: false,
      commits: [
        { added: ["a.ts"], modified: ["b.ts"], removed: [] },
        { added: [], modified: ["b.ts"], removed: ["c.ts"] },
      ],
    };
    expect(Github.factsOf("push", payload)).toMatchObject({
      ...{ event: "push", ref: "refs/heads/main", branch: "main", sha: SHA, before: "b".repeat(40) },
      ...{ paths: ["a.ts", "b.ts", "c.ts"] },
    });
    expect(Github.factsOf("push", payload).isCut).toBeUndefined();
  });

  test("a push of a tag says the tag, a deletion that it is gone, and a new branch without commits that it says no paths", () => {
    const tag = Github.factsOf("push", { ...example("push"), ref: "refs/tags/v1", after: SHA, deleted: false });
    expect(tag).toMatchObject({ tag: "v1", sha: SHA });
    expect(tag.branch).toBeUndefined();
    const gone = Github.factsOf("push", { ref: "refs/heads/x", after: "0".repeat(40), deleted: true });
    expect(gone).toMatchObject({ isGone: true });
    expect(gone.sha).toBeUndefined();
    const made = Github.factsOf("push", { ref: "refs/heads/x", before: "0".repeat(40), after: SHA, commits: [] });
    expect(made.isCut).toBe(true);
  });

  test("a pull request says its number, the branch that it goes into, its head and its labels", () => {
    const payload = example("pull_request", "labeled") as unknown as {
      pull_request: { head: { sha: string; ref: string }; base: { ref: string }; number: number };
      label: { name: string };
    };
    const facts = Github.factsOf("pull_request", payload);
    const { head, base, number } = payload.pull_request;
    expect(facts).toMatchObject({ pull: number, sha: head.sha, ref: `refs/heads/${head.ref}`, branch: base.ref });
    expect(facts.labels).toContain(payload.label.name);
  });

  test.each([
    ["another repository", { full_name: "stranger/fork" }],
    ["a repository that is deleted", null],
  ])("a pull request of %s is a stranger's", (_, repo) => {
    const payload = example("pull_request", "opened") as unknown as { pull_request: { head: { repo: unknown } } };
    expect(Github.factsOf("pull_request", payload).isForeign).toBeUndefined();
    payload.pull_request.head.repo = repo;
    expect(Github.factsOf("pull_request", payload).isForeign).toBe(true);
  });

  test("a merge group says the commit that would be merged, and the branch that it goes into", () => {
    const payload = example("merge_group") as unknown as {
      merge_group: { head_sha: string; head_ref: string; base_ref: string; base_sha: string };
    };
    const { head_sha: sha, head_ref: ref, base_ref: base, base_sha: before } = payload.merge_group;
    const facts = Github.factsOf("merge_group", payload);
    expect(facts).toMatchObject({ event: "merge_group", action: "checks_requested", sha, ref, before });
    expect(`refs/heads/${facts.branch}`).toBe(base);
    expect(facts.isForeign).toBeUndefined();
  });

  test("a ping says which webhook of which repository it is", () => {
    expect(Github.factsOf("ping", example("ping"))).toMatchObject({
      isPing: true,
      forgeHook: "repos/Octocoders/Hello-World/hooks/109948940",
    });
  });

  test.each(["../../etc", "a/../b", "a", "a/b?x", "a/b#", "a b/c", "a//b", ""])("%j is no repository", name => {
    expect(Github.factsOf("push", { repository: { full_name: name } }).repository).toBeUndefined();
  });
});

describe("GitLab", () => {
  test("a push", () => {
    expect(Gitlab.factsOf(push)).toEqual({
      ...{ event: "push", repository: "mike/diaspora", project: "15", sender: "jsmith", senderId: "4" },
      ...{ ref: "refs/heads/master", branch: "master", isCut: true },
      ...{ sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", before: "95790bf891e76fee5e1747ab589903a6a1f80f22" },
      paths: ["CHANGELOG", "app/controller/application.rb"],
    });
  });

  test("a tag", () => {
    expect(Gitlab.factsOf(tagPush)).toMatchObject({ event: "tag_push", tag: "v1.0.0", ref: "refs/tags/v1.0.0" });
  });

  test("a merge request of a branch is its own, and one of another project a stranger's", () => {
    const facts = Gitlab.factsOf(mergeRequest);
    expect(facts).toMatchObject({
      ...{ event: "merge_request", action: "open", pull: 1, branch: "master", ref: "refs/heads/ms-viewport" },
      ...{ sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", labels: ["API"] },
    });
    expect(facts.isForeign).toBe(true);
    const own = structuredClone(mergeRequest);
    own.object_attributes.source_project_id = own.object_attributes.target_project_id;
    expect(Gitlab.factsOf(own).isForeign).toBeUndefined();
  });

  test("an update of a merge request is one of its commits only where it says what they were before", () => {
    const update = structuredClone(mergeRequest) as { object_attributes: { action: string; oldrev?: string } };
    update.object_attributes.action = "update";
    expect(Gitlab.factsOf(update).alias).toBeUndefined();
    update.object_attributes.oldrev = SHA;
    expect(Gitlab.factsOf(update).alias).toBe("synchronize");
    const rule = Rule.parse({ events: ["merge_request.synchronize"], launch: { task: { run: "true" } } });
    expect(judge(rule, Gitlab.factsOf(update))).toHaveProperty("ask");
    expect(judge(rule, Gitlab.factsOf(mergeRequest))).toHaveProperty("skip");
  });

  test("a note says its text, and whose commit it is about", () => {
    expect(Gitlab.factsOf(noteOnMerge)).toMatchObject({
      ...{ event: "note", comment: "/muster launch gpu", pull: 1, isForeign: true },
      sha: "562e173be03b8ff2efb05345d12df18815438a4b",
    });
  });

  test("what else names a commit proves nothing of it", () => {
    expect(Gitlab.factsOf(pipeline)).toMatchObject({ event: "pipeline", isForeign: true, branch: "master" });
  });

  test.each([null, 7, "x", [], {}, { object_kind: 7 }, { object_kind: "push", commits: 7 }, { object_attributes: [] }])(
    "%j is read as an event that says little",
    json => {
      expect(Facts.safeParse(Gitlab.factsOf(json)).success).toBe(true);
      expect(Facts.safeParse(Github.factsOf("push", json)).success).toBe(true);
    },
  );
});

describe("values for the task", () => {
  const hook = { name: "ci", forge: "github" } as Parameters<typeof valuesOf>[0];
  const facts: Facts = { event: "push", sender: "ada", repository: "acme/train", sha: SHA, ref: "refs/heads/main" };

  test("name the commit and where it is cloned from, whatever the event says of that", () => {
    expect(valuesOf(hook, { id: "hdl_1" }, facts)).toEqual({
      ...{ MUSTER_HOOK: "ci", MUSTER_DELIVERY: "hdl_1", MUSTER_EVENT: "push", MUSTER_SENDER: "ada" },
      ...{ MUSTER_GIT_REPOSITORY: "acme/train", MUSTER_GIT_URL: "https://github.com/acme/train.git" },
      ...{ MUSTER_GIT_SHA: SHA, MUSTER_GIT_REF: "refs/heads/main" },
    });
    const own = { ...hook, api: "https://git.acme.com/api/v3" };
    expect(valuesOf(own, { id: "" }, facts).MUSTER_GIT_URL).toBe("https://git.acme.com/acme/train.git");
    const lab = { ...hook, forge: "gitlab" } as const;
    expect(valuesOf(lab, { id: "" }, facts).MUSTER_GIT_URL).toBe("https://gitlab.com/acme/train.git");
  });

  test("hold no zero bytes and no half characters, and no more than a variable can", () => {
    expect(fitting("a\0b\0")).toBe("ab");
    expect(fitting("a\ud800b")).toBe("a\ufffdb");
    for (const letter of ["a", "é", "€", "😀"]) {
      const cut = fitting(letter.repeat(40_000));
      const bytes = Buffer.byteLength(cut);
      expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
      expect(bytes).toBeGreaterThan(MOST_BYTES - 4);
      expect(cut.replaceAll(letter, "")).toBe("");
    }
    expect(fitting("$(reboot); `id` \"'\n")).toBe("$(reboot); `id` \"'\n");
  });

  test("paths are as many as are kept, each once", () => {
    expect(pathsOf(["a", "b", "a"])).toEqual({ paths: ["a", "b"] });
    const many = pathsOf(Array.from({ length: 9000 }, (_, at) => `p${at}`));
    expect([many.isCut, many.paths.length]).toEqual([true, 3000]);
    expect(pathsOf(["x".repeat(200_000)])).toEqual({ paths: [], isCut: true });
  });
});
