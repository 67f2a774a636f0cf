/**
 * Ran against: every list of the route table, asked to go on from cursors of its own, of another query, of another tenant, and
 * from a thousand that were changed on the way; and every route that honours a key, with a key that another tenant has
 * used. The real handlers over SQLite in memory, in process.
 */
import { isKeyed } from "@muster/api/route.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import { beforeAll, expect, test } from "vitest";
import { BODIES } from "./decisions.ts";
import type { Held } from "./furnish.ts";
import { amiss, type Operation, operations } from "./spec.ts";
import { jsonOf, passFor } from "./stage.ts";
import { bodyOf, openTenants, paramsOf, type Tenants } from "./tenancy-support.ts";

let tenants: Tenants;
let asked = 0;

beforeAll(async () => {
  // The first workspace: its admins see what others have no list of.
  tenants = await openTenants(FIRST);
  for (const name of ["one", "two"])
    await tenants.stage.send("workspaces.create", { token: tenants.own.passes.users.admin, body: { name } });
  for (const [held, tag] of [
    [tenants.own, "ac"],
    [tenants.other, "zq"],
  ] as const)
    await double(held, tag);
});

/** A second one of whatever is listed: a page of one then has a next. */
async function double({ passes }: Held, tag: string): Promise<void> {
  const token = passes.users.admin;
  const more = async (
    id: string,
    params: Readonly<Record<string, string>> = {},
    body: object | undefined = BODIES[id],
  ) => {
    const answer = await tenants.stage.send(id, { token, params, body });
    expect(answer.statusCode, answer.body).toBeLessThan(300);
  };
  await more("targets.set", { name: `${tag}-two` });
  await more("pools.set", { name: `${tag}-two` });
  await more("schedules.set", { name: `${tag}-two` });
  await more("secrets.set", { name: `${tag.toUpperCase()}_TWO` });
  await more("images.save", {}, { cluster: `${tag}-still`, name: `${tag}-two` });
  await more("budgets.set", {}, { hourly: 4 });
  await more("budgets.set", {}, { hourly: 3 });
  await more("schedules.pause", { name: `${tag}-nightly` });
  await more("issuers.set", { name: `${tag}-two` }, { ...BODIES["issuers.set"], audiences: [`${tag}-two`] });
  await more("hooks.create", {}, { ...BODIES["hooks.create"], name: `${tag}-two` });
  await more("webhooks.create", {}, { ...BODIES["webhooks.create"], name: `${tag}-two` });
  await more("webhooks.test", { webhook: `${tag}-out` });
  for (const turn of ["disable", "enable"]) await more(`webhooks.${turn}`, { webhook: `${tag}-out` });
  await more("pools.resize", { name: `${tag}-warm` }, { size: 2 });
}

const lists = operations.filter(({ query }) => query.some(({ name }) => name === "cursor"));
/** Their cursors are numbers of what a job has, and hold no place of the table: the job in the path is what is asked for. */
const COUNTED = ["jobs.logs", "artifacts.list"];
const sealed = lists.filter(({ id }) => !COUNTED.includes(id));
/** Of these there is one page here. */
const SHORT = ["clusters.hosts", "deadLetters.list", "hooks.deliveries", "audit.list"];

const ask = (operation: Operation, held: Held, cursor?: string) =>
  tenants.stage.send(operation.id, {
    ...passFor(held.passes, operation.id),
    params: paramsOf(operation, held),
    query: `limit=1${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
  });

const cursorOf = async (operation: Operation, held: Held): Promise<string | undefined> =>
  jsonOf(await ask(operation, held)).cursor;

test.each(sealed.map(operation => [operation.id, operation] as const))("%s", async (id, operation) => {
  const [mine, theirs] = [await cursorOf(operation, tenants.own), await cursorOf(operation, tenants.other)];
  expect([id, mine === undefined]).toEqual([id, SHORT.includes(id)]);
  const forged = await ask(operation, tenants.own, "x".repeat(40));
  expect(jsonOf(forged).code).toBe("invalid_request");
  if (mine === undefined || theirs === undefined) return;
  expect((await ask(operation, tenants.own, mine)).statusCode).toBe(200);
  // Another tenant's is answered as one that nobody has made.
  expect(await ask(operation, tenants.own, theirs)).toEqual(forged);
  asked += 4;
});

test("a cursor of one list is none of another", async () => {
  for (const from of sealed)
    for (const to of sealed) {
      const cursor = await cursorOf(from, tenants.own);
      if (from === to || cursor === undefined) continue;
      expect([from.id, to.id, jsonOf(await ask(to, tenants.own, cursor)).code]).toEqual([
        from.id,
        to.id,
        "invalid_request",
      ]);
      asked++;
    }
});

/** Texts that differ from this one in one place, or in their length. */
function* changed(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 3) {
    const other = text[at] === "A" ? "B" : "A";
    yield text.slice(0, at) + other + text.slice(at + 1);
    yield text.slice(0, at) + text.slice(at + 1);
    yield text.slice(0, at) + other + text.slice(at);
  }
  for (const more of ["=", "A", " ", "\u0000", "é"]) yield text + more;
  const inner = Buffer.from(text, "base64url").toString();
  for (const [from, to] of [
    ["main", "elsewhere"],
    ['"at":', '"At":'],
    ["W#", "w#"],
    ["{", "{ "],
    ['"mac":"', '"mac":"0'],
  ])
    yield Buffer.from(inner.replace(from ?? "", to ?? "")).toString("base64url");
}

test("of a thousand cursors that were changed none is taken", async () => {
  let tried = 0;
  for (const operation of sealed) {
    const cursor = await cursorOf(operation, tenants.own);
    if (cursor === undefined) continue;
    for (const other of changed(cursor)) {
      if (other === cursor) continue;
      const answer = await ask(operation, tenants.own, other);
      expect([operation.id, other, jsonOf(answer).code]).toEqual([operation.id, other, "invalid_request"]);
      tried++;
    }
  }
  expect(tried).toBeGreaterThanOrEqual(1_000);
  asked += tried;
});

test("a cursor of a job's log, whatever it says, shows nothing of another tenant", async () => {
  const hidden = /\bzq-|elsewhere/;
  const texts = [
    "1.1.0.0.1",
    "z.z.z.z.z",
    "1.1.0.zz.1-1-1",
    "9.9.9.9.",
    "0.0.0.0.0",
    "1.1.5.0.zzzzzz",
    "1.0.0",
    "999999999999999.99999.999999",
  ];
  for (const operation of lists.filter(({ id }) => COUNTED.includes(id)))
    for (const text of texts) {
      const answer = await tenants.stage.send(operation.id, {
        ...passFor(tenants.own.passes, operation.id),
        params: paramsOf(operation, tenants.own),
        query: `cursor=${text}`,
      });
      expect([operation.id, text, amiss(operation, answer, hidden)]).toEqual([operation.id, text, undefined]);
      asked++;
    }
});

test.each(operations.filter(({ route }) => isKeyed(route)).map(operation => [operation.id, operation] as const))(
  "%s: a key that another tenant has used is new",
  async (id, operation) => {
    const key = `shared-${id}`;
    const send = (held: Held, params: Readonly<Record<string, string>>) =>
      tenants.stage.send(id, { token: held.passes.users.admin, key, params, ...bodyOf(operation) });
    await send(tenants.other, paramsOf(operation, tenants.other));
    const answer = await send(tenants.own, paramsOf(operation, tenants.own));
    expect(answer.headers["idempotency-replayed"]).toBeUndefined();
    expect(jsonOf(answer).code).not.toBe("idempotency_mismatch");
    expect(answer.body).not.toMatch(/\bzq-|elsewhere/);
    asked += 2;
  },
);

test("so many were asked", () => {
  expect(asked).toBeGreaterThanOrEqual(1_500);
});
