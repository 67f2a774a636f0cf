/**
 * Ran against: every route of the table, asked by everybody who may not: each role below the least that was decided, tokens of
 * the other kind, forged ones and none; the real handlers over SQLite in memory, in process. Refused before anything is
 * looked at, so that the answer is one for the caller's own things, another tenant's and nobody's.
 */
import type { Role } from "@muster/core/actor/actor.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { beforeAll, expect, test } from "vitest";
import { BODIES, decided, leastOf } from "./decisions.ts";
import { furnish, type Held, nounOf } from "./furnish.ts";
import { type Operation, operations } from "./spec.ts";
import { type Ask, jsonOf, openStage, passFor, ROLES, type Stage } from "./stage.ts";
import { ghostOf, idsOfNoun } from "./tenancy-support.ts";

let stage: Stage;
let own: Held;
let other: Held;
let reads = 0;
let asked = 0;

/** Counts what is read of the table. */
const counting = (table: Table): Table => ({
  ...table,
  get: key => {
    reads++;
    return table.get(key);
  },
  query: (query: never) => {
    reads++;
    return table.query(query);
  },
});

beforeAll(async () => {
  stage = openStage(world => ({ ...world, table: counting(world.table) }));
  own = await furnish(stage, "acme", "ac");
  other = await furnish(stage, "elsewhere", "zq");
  // The first use of a day is noted with the token.
  for (const role of ROLES) await stage.send("tokens.whoami", { token: own.passes.users[role] });
});

/** The same request about the caller's own things, another tenant's, and nobody's. */
function asks(operation: Operation): Ask[] {
  const ids = (noun: string | undefined) => {
    const theirs = idsOfNoun(other, noun ?? "")[0] ?? "";
    return [idsOfNoun(own, noun ?? "")[0] ?? "", theirs, ghostOf(theirs)];
  };
  const body = operation.body ? { body: BODIES[operation.id] ?? {} } : {};
  return [0, 1, 2].map(at => ({
    ...body,
    params: Object.fromEntries(operation.path.map(({ name }) => [name, ids(nounOf(operation.id, name))[at] ?? ""])),
  }));
}

/** All get one answer, after one reading at most, and nothing is written. */
async function expectRefused(operation: Operation, pass: Pick<Ask, "token" | "iam">, code: string): Promise<void> {
  const answers = new Set<string>();
  for (const ask of asks(operation)) {
    const before = [stage.world.changes.length, stage.logged.length];
    reads = 0;
    const answer = await stage.send(operation.id, { ...ask, ...pass });
    expect([operation.id, jsonOf(answer).code], answer.body).toEqual([operation.id, code]);
    expect(reads).toBeLessThanOrEqual(1);
    expect([stage.world.changes.length, stage.logged.length]).toEqual(before);
    answers.add(JSON.stringify(answer));
    asked++;
  }
  expect(answers.size).toBe(1);
}

const each = operations.map(operation => [operation.id, operation] as const);
const isRole = (least: string | undefined): least is Role => ROLES.some(role => role === least);

test("of every route it was decided who may: see decisions.ts", () => {
  expect(decided.toSorted()).toEqual(operations.map(({ id }) => id).toSorted());
  const kinds = { user: true, host: "host", none: "anybody", iam: "" };
  for (const { id, route } of operations) {
    const least = leastOf(id);
    const said = route.auth === "iam" ? least === "machine" || least === "account" : true;
    expect([id, route.auth === "user" ? isRole(least) : said]).toEqual([id, kinds.user]);
    if (route.auth === "host" || route.auth === "none") expect([id, least]).toEqual([id, kinds[route.auth]]);
  }
});

test.each(each)("%s refuses every lower role, and takes the others", async (id, operation) => {
  const least = leastOf(id);
  if (!isRole(least)) return expect(operation.route.auth).not.toBe("user");
  const [lower, enough] = [ROLES.slice(0, ROLES.indexOf(least)), ROLES.slice(ROLES.indexOf(least))];
  for (const role of lower) await expectRefused(operation, { token: own.passes.users[role] }, "forbidden");
  for (const role of enough) {
    const [mine = {}, theirs = {}, nobodys = {}] = asks(operation);
    for (const ask of [nobodys, theirs, mine]) {
      const { code, message } = jsonOf(await stage.send(id, { ...ask, token: own.passes.users[role] }));
      // What is said of somebody's own thing is another matter: only its owner may let go of a hold.
      const isRefused = code === "unauthenticated" || (code === "forbidden" && /^the role/.test(String(message)));
      expect([id, role, isRefused]).toEqual([id, role, false]);
      asked++;
    }
  }
  return undefined;
});

test.each(each)("%s refuses whoever is nobody, or somebody else", async (id, operation) => {
  const { auth } = operation.route;
  if (auth === "none") return expect(leastOf(id)).toBe("anybody");
  const [ulid, secret] = ["0".repeat(26), "a".repeat(64)];
  const tokens = [
    undefined,
    "",
    "Bearer ",
    `Bearer mst_tok_${ulid}_${secret}`,
    `Bearer mse_acme.hst_${ulid}_0.1.1.${secret}`,
    auth === "host" ? own.passes.users.admin : own.passes.host,
    (auth === "host" ? own.passes.host : own.passes.users.admin).replace(/.$/, last => (last === "0" ? "1" : "0")),
    (auth === "host" ? own.passes.host : own.passes.users.admin).replace("Bearer", "bearer"),
    (auth === "host" ? own.passes.host : own.passes.users.admin).toUpperCase(),
  ];
  for (const token of tokens) await expectRefused(operation, { token }, "unauthenticated");
  // A route that takes tokens believes no gateway, and one that a gateway keeps takes no token.
  if (auth !== "iam") await expectRefused(operation, { iam: own.passes.person }, "unauthenticated");
  else await expectRefused(operation, { token: own.passes.users.admin }, "unauthenticated");
  return undefined;
});

test("a route that AWS's gateway keeps tells machines from people, and this account from others", async () => {
  const signed = operations.filter(({ route }) => route.auth === "iam");
  const account = "999999999999";
  for (const operation of signed) {
    const wrong = leastOf(operation.id) === "machine" ? own.passes.person : own.passes.machine;
    const elsewhere = { ...passFor(own.passes, operation.id).iam, accountId: account };
    const theirs = { userArn: String(elsewhere.userArn).replace(/\d{12}/, account), accountId: account };
    for (const iam of [wrong, theirs]) {
      const [ask = {}] = asks(operation);
      const answer = await stage.send(operation.id, { ...ask, iam });
      expect([operation.id, [401, 403].includes(answer.statusCode)], answer.body).toEqual([operation.id, true]);
      asked++;
    }
  }
  expect(signed.length).toBeGreaterThanOrEqual(3);
});

test("so many were asked", () => {
  expect(asked).toBeGreaterThanOrEqual(2_000);
});
