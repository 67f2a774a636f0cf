/**
 * From a push to what GitHub shows of it: the real control plane with real agents and processes, requests signed as GitHub
 * signs them, and a server of ours that plays GitHub's API (test/support/forges/github.ts).
 */
import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";
import { type GitHubServer, startGitHub } from "../support/forges/github.ts";
import { startGitLab } from "../support/forges/gitlab.ts";
import { type InProcess, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const recorded: readonly { name: string; examples: readonly object[] }[] = createRequire(import.meta.url)(
  "@octokit/webhooks-examples",
);
/** As GitHub has sent it to somebody, with another commit and repository in it. */
const example = (event: string): object =>
  structuredClone(recorded.find(({ name }) => name === event)?.examples[0] ?? {});

const CANARY = "canary-4f1d9c2b7a";
let hub: GitHubServer;
let plane: InProcess;
let secret = "";
beforeAll(async () => {
  plane = await openPlane({}, { outboundAllow: ["127.0.0.1/32"] });
  hub = await startGitHub();
  await plane.api.secrets.set({ params: { name: "GITHUB_APP" }, body: { value: `${hub.appId}\n${hub.key}` } });
  await plane.api.secrets.set({ params: { name: "CANARY" }, body: { value: CANARY } });
});
afterAll(async () => {
  await plane.close();
  await hub.close();
});
const commits = { count: 0 };
beforeEach(() => {
  commits.count++;
});
const sha = () => commits.count.toString(16).padStart(40, "a");

/** One hook for all tests, with a rule for each kind of push. */
async function hooked(tasks: Readonly<Record<string, TaskInput | { readonly file: string }>>): Promise<void> {
  const rules = Object.entries(tasks).map(([name, task]) => ({
    ...{ name, events: ["push", "pull_request"], branches: [name] },
    ...("file" in task ? task : { launch: { task: Task.parse(task), down: true } }),
  }));
  const hook = {
    ...{ api: hub.url, token: "GITHUB_APP", rules },
    forge: "github" as const,
    report: { status: true, check: true, comment: true },
  };
  const made = await plane.api.hooks.create({ body: { name: `ci-${commits.count}`, hook } });
  Object.assign(place, { path: made.path, name: made.name });
  secret = made.secret.text;
}
const place = { path: "", name: "" };

async function send(event: string, payload: object): Promise<string> {
  const body = JSON.stringify(payload);
  const answer = await fetch(`${plane.url}${place.path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
    body,
  });
  expect(answer.status).toBe(202);
  const { delivery } = (await answer.json()) as { delivery: string };
  return delivery;
}

const repository = { full_name: "acme/models" };
const push = (branch: string) =>
  send("push", {
    ...example("push"),
    ...{ ref: `refs/heads/${branch}`, before: "1".repeat(40), after: sha(), deleted: false, repository },
  });

const told = () => hub.statuses.filter(one => one.sha === sha());
const lastTold = (state: string) =>
  until(`a status ${state}`, () => told().at(-1)?.state === state && told().at(-1), 60_000);
const runOf = () => [...hub.runs.values()].find(run => run.head_sha === sha());
const summaryOf = (): string => String((runOf()?.output as { summary?: string } | undefined)?.summary);

test("a push: pending and then success, with a check run that has the end of the log, and no secret anywhere", async () => {
  await hooked({
    main: { run: 'echo "trained $MUSTER_GIT_SHA with $CANARY"', storedSecrets: ["CANARY"] },
  });
  await push("main");
  await lastTold("success");
  const statuses = told();
  expect(statuses[0]).toMatchObject({ state: "pending", context: `muster/${place.name}/main` });
  expect(statuses.at(-1)?.description).toMatch(/^succeeded after /);
  const run = await until("the check run's end", () => runOf()?.status === "completed" && runOf());
  expect(run).toMatchObject({ conclusion: "success", name: `muster/${place.name}/main` });
  expect(summaryOf()).toContain(`trained ${sha()} with ***`);
  expect(hub.everything()).not.toContain(CANARY);
  expect(hub.everything()).not.toContain(secret);
  expect(hub.everything()).not.toContain("PRIVATE KEY");
  expect(hub.tokens.some(token => hub.everything().includes(token))).toBe(false);
  expect(plane.errors.filter(error => error.includes(CANARY))).toEqual([]);
});

test("a job that fails says how; what cannot be launched, and what cannot start, says why", async () => {
  await plane.api.secrets.set({ params: { name: "NOT_THERE" }, body: { value: "for a while" } });
  await hooked({
    bad: { run: "echo out of memory; exit 7" },
    gone: { run: "true", storedSecrets: ["NOT_THERE"] },
    huge: { run: "true", resources: { instanceType: "no-such-machine" } },
    unset: { run: "true", setup: "echo no such compiler; exit 9" },
    filed: { file: "ci/train.yaml" },
    broken: { file: "ci/broken.yaml" },
  });
  await plane.api.secrets.remove({ params: { name: "NOT_THERE" } });
  await push("bad");
  expect((await lastTold("failure")) || undefined).toMatchObject({
    description: expect.stringContaining("exited with 7"),
  });
  await until("the check run's end", () => runOf()?.status === "completed");
  expect(runOf()).toMatchObject({ conclusion: "failure" });
  expect(summaryOf()).toContain("out of memory");
  commits.count++;
  await push("unset");
  expect((await lastTold("failure")) || undefined).toMatchObject({
    description: expect.stringContaining("etup exited with 9"),
  });
  for (const branch of ["gone", "huge", "filed", "broken"]) {
    commits.count++;
    hub.files.set(`${sha()} ci/broken.yaml`, "run: [1, 2");
    await push(branch);
    expect((await lastTold("error")) || undefined).toMatchObject({
      context: `muster/${place.name}/${branch}`,
      description: expect.stringMatching(/^could not start: /),
    });
  }
});

test("a stranger's pull request says what it waits for, and runs when a maintainer has said so at GitHub", async () => {
  await hooked({ main: { run: 'echo "checked $MUSTER_GIT_SHA"' } });
  const pull = {
    ...{ number: 7, title: "help", labels: [] },
    head: { sha: sha(), ref: "topic", repo: { full_name: "eve/models" } },
    base: { sha: "b".repeat(40), ref: "main", repo: repository },
  };
  const delivery = await send("pull_request", {
    action: "opened",
    pull_request: pull,
    repository,
    sender: { login: "eve" },
  });
  const held = await lastTold("error");
  const command = /Comment: (\/muster approve [0-9a-f]{12})/.exec((held || undefined)?.description ?? "")?.[1];
  expect(command).toBe(`/muster approve ${sha().slice(0, 12)}`);
  await until("the comment", () =>
    [...hub.comments.values()].some(({ pull: of, body }) => of === 7 && body.includes("waits for a maintainer")),
  );
  const state = async () => (await plane.api.hooks.delivery({ params: { hook: place.name, delivery } })).state;
  expect(await state()).toBe("held");

  hub.pulls.set(7, { sha: sha(), fork: true });
  hub.permissions.set("mia", "maintain").set("eve", "read");
  const comment = (login: string) =>
    send("issue_comment", {
      ...{ action: "created", comment: { body: command }, repository, sender: { login } },
      issue: { number: 7, title: "help", pull_request: {} },
    });
  const refused = await comment("eve");
  await until("eve's comment to be refused", async () => {
    const answer = await plane.api.hooks.delivery({ params: { hook: place.name, delivery: refused } });
    return answer.message?.includes("may not write");
  });
  expect(await state()).toBe("held");
  await comment("mia");
  await lastTold("success");
  expect(await state()).toBe("launched");
  const ours = [...hub.comments.values()].filter(({ body }) => body.startsWith("<!-- muster:"));
  expect(ours).toHaveLength(1);
  await until("the comment's end", () => ours[0]?.body.includes(`checked ${sha()}`));
  const { jobId = "" } = (await plane.api.hooks.delivery({ params: { hook: place.name, delivery } })).results[0] ?? {};
  const job = await plane.api.jobs.get({ params: { job: jobId } });
  expect(job).toMatchObject({ state: "succeeded", down: true });
});

test("an admin approves on the command line, who sees what of; a member may not", async () => {
  await hooked({ main: { run: "true" } });
  const pull = {
    ...{ number: 8, title: "help", labels: [] },
    head: { sha: sha(), ref: "topic", repo: { full_name: "eve/models" } },
    base: { sha: "b".repeat(40), ref: "main", repo: repository },
  };
  const sender = { login: "eve" };
  const delivery = await send("pull_request", { action: "opened", pull_request: pull, repository, sender });
  await lastTold("error");
  await using home = new Home();
  const { token: member } = await plane.api.tokens.create({ body: { actor: "ben", role: "member" } });
  const approve = (token: string, ...more: string[]) =>
    home.start(["hooks", "approve", place.name, delivery, ...more], { MUSTER_ENDPOINT: plane.url, MUSTER_TOKEN: token })
      .ended;
  expect((await approve(plane.token)).err).toContain(
    `this runs commit ${sha().slice(0, 12)} by eve (pull request 8 of acme/models): this needs --yes`,
  );
  expect(await approve(member, "--yes")).toMatchObject({ code: 121 });
  expect((await approve(plane.token, "--yes")).out).toContain("Approved: commit");
  await lastTold("success");
});

test("GitLab: a push with the hook's token is a job, which shows as a job of the pipeline", async () => {
  const lab = await startGitLab();
  await plane.api.secrets.set({ params: { name: "GITLAB_TOKEN" }, body: { value: lab.token } });
  const rules = [
    { name: "main", events: ["push"], branches: ["main"], launch: { task: Task.parse({ run: "true" }), down: true } },
  ];
  const hook = { forge: "gitlab" as const, api: lab.url, token: "GITLAB_TOKEN", rules };
  const made = await plane.api.hooks.create({ body: { name: "lab", hook } });
  const body = JSON.stringify({
    ...{ object_kind: "push", event_name: "push", ref: "refs/heads/main", before: "1".repeat(40), after: sha() },
    ...{ checkout_sha: sha(), user_username: "ada", user_id: 4, project_id: 42, total_commits_count: 1 },
    project: { id: 42, path_with_namespace: "acme/models", web_url: "https://gitlab.example/acme/models" },
    commits: [{ id: sha(), added: [], modified: ["train.py"], removed: [] }],
  });
  const headers = {
    "content-type": "application/json",
    "x-gitlab-event": "Push Hook",
    "x-gitlab-token": made.secret.text,
  };
  const answer = await fetch(`${plane.url}${made.path}`, { method: "POST", headers, body });
  expect(answer.status).toBe(202);
  await until("its success", () => lab.statuses.at(-1)?.state === "success");
  expect(lab.statuses[0]).toMatchObject({ sha: sha(), state: "pending", name: "muster/lab/main", ref: "main" });
  expect(lab.everything()).not.toContain(lab.token);
  await lab.close();
});
