/** Strangers' commits: waiting for a maintainer's word, and what it lets. Core on SQLite in memory; the forge is a function. */
import { approve } from "@muster/core/approval/approve.ts";
import { approvalIn, approveByComment } from "@muster/core/approval/comment.ts";
import { isApproved, waits } from "@muster/core/approval/require.ts";
import * as Delivery from "@muster/core/hook/delivery.ts";
import type { Facts } from "@muster/core/hook/facts.ts";
import { factsOf as gitHubFacts } from "@muster/core/hook/github.ts";
import { factsOf as gitLabFacts } from "@muster/core/hook/gitlab.ts";
import * as Hook from "@muster/core/hook/hook.ts";
import * as Id from "@muster/core/id.ts";
import { amend, insert } from "@muster/core/record.ts";
import * as Report from "@muster/core/report/report.ts";
import { beforeEach, expect, test } from "vitest";
import { code } from "../../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../../support/world.ts";

const SHA = "c0ffee".padEnd(40, "0");
const NEXT = "c0ffee".padEnd(40, "1");
const ADMIN = { ...ADA, role: "admin" } as const;

let world: TestWorld;
let hook: Hook.Hook;
beforeEach(async () => {
  world = testWorld();
  const at = { createdAt: 1, changedAt: 1 };
  hook = Hook.Hook.parse({
    ...{
      id: Id.create(world.random, "hook"),
      workspace: "acme",
      name: "ci",
      owner: "usr_ada",
      rules: 1,
      generation: 1,
    },
    ...{ forge: "github", ...at },
  });
  await world.table.write([insert(Hook.noun, hook)]);
});

const origin = (sha = SHA) => ({ repository: "acme/models", sha, pull: 7, sender: "eve" });

/** A delivery that is held, as it is written: with the approval that it waits for. */
async function held(sha = SHA, of: Hook.Hook = hook): Promise<string> {
  const id = Id.create(world.random, "hookDelivery");
  const now = world.clock.now();
  const delivery: Delivery.Delivery = Delivery.Delivery.parse({
    ...{ id, workspace: of.workspace, hookId: of.id, event: "pull_request", ...origin(sha), bytes: 1 },
    ...{ outcome: "held", results: [], round: 0, tries: 0, createdAt: now, changedAt: now },
  });
  const write = await waits(world, of, origin(sha), id);
  if (write === undefined) throw new Error("it is approved already");
  await world.table.write([insert(Delivery.noun, delivery), write]);
  return id;
}

const outcomeOf = async (id: string) => (await Delivery.find(world.table, "acme", id))?.outcome ?? "pending";

test("nothing is approved until somebody says so, and then that commit alone, for that hook alone", async () => {
  const first = await held();
  const again = await held();
  const other = await held(NEXT);
  const sibling = { ...hook, id: Id.create(world.random, "hook") };
  await held(SHA, sibling);
  expect(await isApproved(world, hook, origin())).toBe(false);
  const info = await approve(world, ADMIN, hook.id, first);
  expect(info.state).toBe("pending");
  expect(await isApproved(world, hook, origin())).toBe(true);
  expect(await isApproved(world, hook, { ...origin(), repository: "ACME/Models" })).toBe(true);
  expect(await isApproved(world, hook, origin(NEXT))).toBe(false);
  expect(await isApproved(world, sibling, origin())).toBe(false);
  expect([await outcomeOf(first), await outcomeOf(again), await outcomeOf(other)]).toEqual([
    "pending",
    "pending",
    "held",
  ]);
  expect(await waits(world, hook, origin(), "hdl_late")).toBeUndefined();
  const events = world.changes.flatMap(change =>
    "item" in change && change.item.type === "event" ? [change.item] : [],
  );
  expect(events.map(({ data }) => [data.kind, data.actor])).toEqual([["hook.approved", "usr_ada"]]);
});

test("to say it twice changes nothing, and what was looked at since is left alone", async () => {
  const id = await held();
  const gone = await held();
  const delivery = await Delivery.find(world.table, "acme", gone);
  if (delivery === undefined) throw new Error("it is not there");
  await world.table.write([amend<Delivery.Delivery>(Delivery.noun, delivery, { outcome: "failed" }).write]);
  await approve(world, ADMIN, hook.id, id);
  const before = world.changes.length;
  await approve(world, ADMIN, hook.id, id);
  expect(world.changes.length).toBe(before);
  expect(await outcomeOf(gone)).toBe("failed");
});

test("what waits for nothing, is another's, or is not there is not approved of", async () => {
  const id = await held();
  expect(await code(approve(world, EVE, hook.id, id))).toBe("not_found");
  expect(await code(approve(world, ADMIN, hook.id, "hdl_01ARZ3NDEKTSV4RRFFQ69G5FAV"))).toBe("not_found");
  const plain = await held(NEXT);
  await world.table.write([
    { remove: { pk: `W#acme#APPROVALS#${hook.id}`, sk: `APPROVAL#acme/models#${NEXT}` }, expect: 1 },
  ]);
  expect(await code(approve(world, ADMIN, hook.id, plain))).toBe("conflict");
});

test("sixteen who approve at once, and one delivery that comes meanwhile: it is looked at once more, or never held", async () => {
  const id = await held();
  const late = held().catch(error => String(error));
  await Promise.all(Array.from({ length: 16 }, () => approve(world, ADMIN, hook.id, id)));
  const outcome = await late;
  if (!/approved already|conflict/.test(outcome)) expect(await outcomeOf(outcome)).toBe("pending");
  expect(await outcomeOf(id)).toBe("pending");
  expect((await Delivery.find(world.table, "acme", id))?.round).toBe(1);
});

const comment = (text: string, more: Partial<Facts> = {}): Facts => ({
  ...{ event: "issue_comment", action: "created", repository: "acme/models", sender: "mia", pull: 7, comment: text },
  ...more,
});
const forge = (head = SHA, writers: readonly string[] = ["mia"]) => ({
  mayWrite: async (user: string) => writers.includes(user),
  pull: async () => ({ sha: head, isForeign: true }),
});

test("a comment approves of the commit that it names, by somebody who may write there, while it is the head", async () => {
  const id = await held();
  const say = (text: string, at = forge(), more: Partial<Facts> = {}) =>
    approveByComment(world, hook, comment(text, more), at);
  const refused: [string, ReturnType<typeof forge>?, Partial<Facts>?][] = [
    ["/muster approve"],
    ["/muster approve c0ffee0"],
    ["/muster approve ../../x"],
    [`please /muster approve ${SHA}`],
    [`> /muster approve ${SHA}`],
    [`/muster approve ${SHA}`, forge(SHA, [])],
    [`/muster approve ${SHA}`, forge(), { sender: "eve" }],
    [`/muster approve ${SHA}`, forge(NEXT)],
    [`/muster approve ${NEXT}`],
    [`/muster approve ${SHA}`, forge(), { action: "edited" }],
    [`/muster approve ${NEXT}`, forge(NEXT)],
  ];
  for (const [text, at, more] of refused) {
    expect(await say(text, at, more)).toMatchObject({ isApproved: false });
    expect(await outcomeOf(id)).toBe("held");
  }
  expect(await say(`Looks good.\r\n/muster approve ${SHA.slice(0, 12).toUpperCase()}\r\n`)).toEqual({
    isApproved: true,
    message: "mia approved of c0ffee000000",
  });
  expect(await outcomeOf(id)).toBe("pending");
  const by = world.changes.flatMap(change =>
    "item" in change && change.item.type === "event" ? [change.item.data.actor] : [],
  );
  expect(by).toEqual(["github:mia"]);
});

test("what a job prints is no command, wherever a report shows it", () => {
  const marker = Report.markerOf(world.digest, { workspace: "acme", id: "rpt_1" });
  const body = `${marker}\n\n\`\`\`text\n/muster approve ${SHA}\n\`\`\``;
  expect(approvalIn(comment(body))).toBeUndefined();
  expect(approvalIn(comment(body.slice(marker.length)))).toBe(SHA);
  const [issue, repository] = [{ number: 7, pull_request: {} }, { full_name: "acme/models" }];
  const said = (text: string) => [
    gitHubFacts("issue_comment", { action: "created", issue, repository, comment: { body: text } }).comment,
    gitLabFacts({ object_kind: "note", object_attributes: { note: text }, merge_request: { iid: 7 } }).comment,
  ];
  expect(said(body)).toEqual([undefined, undefined]);
  expect(said("/muster launch")).toEqual(["/muster launch", "/muster launch"]);
});

test("other comments, and comments elsewhere, ask for nothing", () => {
  for (const facts of [
    comment("/muster launch gpu"),
    comment("/muster approved x"),
    comment("/muster approve x y z"),
    { ...comment(`/muster approve ${SHA}`), pull: undefined },
    comment(`/muster approve ${SHA}`, { action: "deleted" }),
  ])
    expect(approvalIn(facts)).toBeUndefined();
  expect(approvalIn(comment(" /muster  approve\tabc "))).toBe("abc");
});
