/** What rules make of events: the real verbs on SQLite in memory, with payloads that GitHub recorded. */
import { byName } from "@muster/core/cluster/find.ts";
import { process as workOff } from "@muster/core/hook/process.ts";
import { receive } from "@muster/core/hook/receive.ts";
import { remove } from "@muster/core/hook/remove.ts";
import * as Keys from "@muster/core/keys.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { describe, expect, test } from "vitest";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";
import { envsOf, pulled, pushed, RUN, SHA, stateOf } from "./payloads.ts";
import { asStandard, deliver, example, fromGithub, jobsIn, look, makeHook, outside } from "./support.ts";

describe("rules", () => {
  test("what is launched has the event's values, whatever is in them", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { rules: [{ events: ["push"], launch: RUN }] });
    const evil = "$(touch /tmp/x); `id`\n'\"\0";
    const payload = pushed("refs/heads/main", { sender: { login: evil, id: 7 } });
    const { results } = await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", payload));
    const envs = await envsOf(world, results[0]?.jobId);
    expect(envs).toMatchObject({
      ...{ MUSTER_GIT_SHA: SHA, MUSTER_GIT_REF: "refs/heads/main", MUSTER_GIT_BRANCH: "main" },
      ...{ MUSTER_GIT_REPOSITORY: "Codertocat/Hello-World", MUSTER_EVENT: "push", MUSTER_HOOK: "ci" },
      MUSTER_SENDER: evil.replace("\0", ""),
    });
  });

  test("each that means the event launches, and each that does not says why", async () => {
    const world = testWorld();
    const hook = await makeHook(world, {
      rules: [
        { name: "all", events: ["push"], launch: RUN },
        { name: "branch", events: ["push"], branches: ["release/**"], launch: RUN },
        { name: "path", events: ["push"], paths: ["**", "!src/**", "!docs/**"], launch: RUN },
        { name: "tag", events: ["push"], tags: ["v*"], launch: RUN },
        { name: "event", events: ["release"], launch: RUN },
        { name: "source", events: ["push"], branches: ["main"], paths: ["src/**"], launch: RUN },
      ],
    });
    const done = await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", pushed()));
    expect(done.results.map(({ rule, outcome, message }) => [rule, outcome, message])).toEqual([
      ["all", "launched", undefined],
      ["branch", "skipped", "branch main fits none of release/**"],
      ["path", "skipped", "none of the 2 changed paths fit **, !src/**, !docs/**"],
      ["tag", "skipped", "it is of no tag"],
      ["event", "skipped", "it is push, and the rule is for release"],
      ["source", "launched", undefined],
    ]);
    expect([done.state, jobsIn(world)]).toEqual(["launched", 2]);
  });

  test("an event that none means is skipped, and says so", async () => {
    const world = testWorld();
    const hook = await makeHook(world, {
      rules: [{ events: ["pull_request.closed", "push"], branches: ["x"], launch: RUN }],
    });
    const { state, message } = await deliver(
      outside(world),
      hook,
      fromGithub(hook.secret.text, "pull_request", pulled()),
    );
    expect([state, message]).toEqual([
      "skipped",
      "it is pull_request.opened, and the rule is for pull_request.closed, push",
    ]);
    expect(jobsIn(world)).toBe(0);
  });

  test("a branch that is deleted launches nothing", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const payload = pushed("refs/heads/old", { after: "0".repeat(40), deleted: true });
    const { state, message } = await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", payload));
    expect([state, message]).toEqual(["skipped", "what it was about is deleted"]);
  });

  test("one of the labels is enough, and none is not", async () => {
    const world = testWorld();
    const rules = [{ events: ["pull_request.labeled"], labels: ["gpu", "slow"], launch: RUN }];
    const hook = await makeHook(world, { rules });
    const labeled = (name: string) => {
      const payload = example("pull_request", "labeled") as unknown as {
        label: object;
        pull_request: { labels: object[] };
      };
      payload.label = { name };
      payload.pull_request.labels = [{ name }];
      return fromGithub(hook.secret.text, "pull_request", payload);
    };
    expect((await deliver(outside(world), hook, labeled("gpu"))).state).toBe("launched");
    expect((await deliver(outside(world), hook, labeled("docs"))).message).toBe("it has none of the labels gpu, slow");
  });

  test("a merge group launches with the commit that would be merged", async () => {
    const world = testWorld();
    const hook = await makeHook(world, {
      rules: [{ events: ["merge_group.checks_requested"], branches: ["main"], launch: RUN }],
    });
    const payload = example("merge_group") as unknown as { merge_group: { head_sha: string; base_ref: string } };
    payload.merge_group.base_ref = "refs/heads/main";
    const { state, results } = await deliver(
      outside(world),
      hook,
      fromGithub(hook.secret.text, "merge_group", payload),
    );
    expect(state).toBe("launched");
    expect((await envsOf(world, results[0]?.jobId)).MUSTER_GIT_SHA).toBe(payload.merge_group.head_sha);
  });

  test("a form, as GitHub sends it unless it is told otherwise, is read as well", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const form = `payload=${encodeURIComponent(JSON.stringify(pushed()))}`;
    const { headers, body } = fromGithub(hook.secret.text, "push", form);
    const sent = { headers: { ...headers, "content-type": "application/x-www-form-urlencoded" }, body };
    expect((await deliver(outside(world), hook, sent)).state).toBe("launched");
  });

  test("a sender that is no forge has its body handed on", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { forge: "standard", rules: [{ events: ["data.ready"], launch: RUN }] });
    const body = { type: "data.ready", table: "$(reboot)" };
    const { state, results } = await deliver(
      outside(world),
      hook,
      asStandard(hook.secret.standard, body, world.clock.now()),
    );
    expect(state).toBe("launched");
    expect(JSON.parse((await envsOf(world, results[0]?.jobId)).MUSTER_EVENT_BODY ?? "")).toEqual(body);
  });
});

describe("a newer push", () => {
  const RULES = [{ events: ["push"], launch: RUN, cancelOlder: true }];
  const send = (world: TestWorld, hook: { id: string; secret: { text: string } }, ref?: string) =>
    deliver(outside(world), hook, fromGithub(hook.secret.text, "push", pushed(ref)));

  test("ends the older run of its ref, with the cluster that was made for it, and no other's", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { rules: RULES });
    const [old] = (await send(world, hook)).results;
    const [other] = (await send(world, hook, "refs/heads/topic")).results;
    const [next] = (await send(world, hook)).results;
    expect(next?.replaces).toMatchObject({ jobId: old?.jobId, clusterId: old?.clusterId });
    expect(await Promise.all([old, other, next].map(one => stateOf(world, one?.jobId)))).toEqual([
      "cancelled",
      "queued",
      "queued",
    ]);
    const states = await Promise.all(
      [old, other, next].map(async one => (await byName(world.table, ADA.workspace, one?.clusterName ?? ""))?.state),
    );
    expect(states).toEqual([expect.stringMatching(/draining|terminated/), "requested", "requested"]);
  });

  test("leaves a cluster that the rule names", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { rules: [{ ...RULES[0], launch: { ...RUN, cluster: "ci" } }] });
    const [old] = (await send(world, hook)).results;
    const [next] = (await send(world, hook)).results;
    expect(await stateOf(world, old?.jobId)).toBe("cancelled");
    expect((await byName(world.table, ADA.workspace, "ci"))?.state).toBe("requested");
    expect(next?.clusterId).toBe(old?.clusterId);
  });

  test("that was worked off first leaves nothing for the older one to do", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { rules: RULES });
    const older = await receive(world, hook.id, fromGithub(hook.secret.text, "push", pushed()));
    world.clock.pass(10);
    const [next] = (await send(world, hook)).results;
    await workOff(outside(world), { workspace: ADA.workspace, id: older.delivery });
    const { state, message } = await look(world, older.delivery);
    expect([state, message, jobsIn(world)]).toEqual(["skipped", expect.stringContaining("a newer one"), 1]);
    expect(await stateOf(world, next?.jobId)).toBe("queued");
  });
});

describe("a hook", () => {
  test("whose owner may launch nothing any more fails its deliveries, and says so", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const [token] = world.changes.flatMap(one => ("item" in one && one.item.type === "token" ? [one.item] : []));
    await revoke(world, { ...ADA, role: "admin" }, String(token?.data.id));
    const { state, message } = await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", pushed()));
    expect([state, jobsIn(world)]).toEqual(["failed", 0]);
    expect(message).toMatch(/usr_ada, in whose name hook 'ci' launches, has no token any more/);
  });

  test("that is removed lets nobody in, and what it was sent before has failed", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const { delivery } = await receive(world, hook.id, fromGithub(hook.secret.text, "push", pushed()));
    await remove(world, ADA, "ci");
    await workOff(outside(world), { workspace: ADA.workspace, id: delivery });
    expect(await look(world, delivery)).toMatchObject({ state: "failed", message: "the hook was removed" });
    await expect(receive(world, hook.id, fromGithub(hook.secret.text, "push", pushed()))).rejects.toMatchObject({
      code: "unauthenticated",
    });
    const left = [Keys.hookOwner(hook.id), Keys.hookName(ADA.workspace, "ci"), Keys.hookRules(ADA.workspace, hook.id)];
    expect(await Promise.all(left.map(key => world.table.get(key)))).toEqual([undefined, undefined, undefined]);
    await makeHook(world);
  });

  test("what came of a delivery is an event, and what nobody asked for is none", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", pushed()));
    await deliver(outside(world), hook, fromGithub(hook.secret.text, "ping", example("ping")));
    const kinds = world.changes.flatMap(one =>
      "item" in one && one.item.type === "event" ? [String(one.item.data.kind)] : [],
    );
    expect(kinds.filter(kind => kind.startsWith("hookdelivery."))).toEqual(["hookdelivery.launched"]);
  });
});
