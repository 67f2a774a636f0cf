/**
 * How often: requests of one token in an instance's memory, and failures of authentication by address in the table; core's
 * own tokens over the SQLite table in memory, and a clock that the test sets.
 */
import { doorOf } from "@muster/api/door.ts";
import type { HttpAnswer } from "@muster/api/http.ts";
import { BURST, limiter, MOST_FAILURES, PER_SECOND } from "@muster/api/limits.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { grant } from "@muster/core/token/create.ts";
import { expect, test } from "vitest";
import { handlers } from "../../functions/handlers.ts";
import { counted } from "../support/units.ts";
import { type TestWorld, testWorld } from "../support/world.ts";
import { bodyOf, eventOf } from "./support.ts";

const NOBODY = `Bearer mst_tok_${"0".repeat(26)}_${"0".repeat(64)}`;
const WHOAMI = "GET /v1/whoami";

type Ask = (authorization: string | undefined, from?: string) => Promise<HttpAnswer>;

/** One instance of a function, with a memory of its own. */
function instance(world: TestWorld, table: Table = world.table, route = WHOAMI): Ask {
  const door = doorOf({ ...world, table });
  const dispatch = dispatcher(door, routes, handlers(world));
  return (authorization, from) => {
    const http = { method: route.split(" ")[0] ?? "", ...(from !== undefined && { sourceIp: from }) };
    return dispatch(eventOf(route, { headers: { authorization }, requestContext: { http } }));
  };
}

async function times(count: number, run: () => Promise<HttpAnswer>): Promise<number[]> {
  const codes: number[] = [];
  for (let n = 0; n < count; n++) codes.push((await run()).statusCode);
  return codes;
}

const member = async (world: TestWorld) =>
  `Bearer ${(await grant(world, { workspace: "acme", actor: "usr_ada", role: "member" })).token}`;

test("an address that shows too much that holds for nobody is told to wait for the rest of the minute", async () => {
  const world = testWorld();
  world.clock.pass(10_000);
  const ask = instance(world);
  const [a, b] = ["203.0.113.7", "203.0.113.8"];
  expect(await times(MOST_FAILURES + 2, () => ask(NOBODY, a))).toEqual([
    ...Array.from({ length: MOST_FAILURES }, () => 401),
    ...[429, 429],
  ]);
  const told = await ask(NOBODY, a);
  expect([told.headers["retry-after"], bodyOf(told).code, bodyOf(told).details.retryAfter]).toEqual([
    "50",
    "too_many",
    50,
  ]);
  expect((await ask(NOBODY, b)).statusCode).toBe(401);
  // Whoever has one that holds is let in from there all the same.
  expect((await ask(await member(world), a)).statusCode).toBe(200);
  world.clock.pass(50_000);
  expect((await ask(NOBODY, a)).statusCode).toBe(401);
});

test("instances count together, without reading what the others have counted", async () => {
  const world = testWorld();
  const { table, units } = counted(world.table);
  const asks = [instance(world, table), instance(world, table), instance(world, table)];
  const codes: number[] = [];
  for (let n = 0; n < 3 * MOST_FAILURES; n++) codes.push((await asks[n % 3]?.(NOBODY, "203.0.113.7"))?.statusCode ?? 0);
  const let401 = codes.filter(code => code === 401).length;
  expect([let401, codes.indexOf(429), codes.at(-1)]).toEqual([MOST_FAILURES, MOST_FAILURES, 429]);
  expect(units.reads).toBeLessThanOrEqual(codes.length);
});

test("a request with nothing to show, and one from nowhere, are not counted, and write nothing", async () => {
  const world = testWorld();
  const ask = instance(world);
  const codes = await times(MOST_FAILURES + 1, () => ask(undefined, "203.0.113.7"));
  expect(new Set([...codes, ...(await times(MOST_FAILURES + 1, () => ask(NOBODY)))])).toEqual(new Set([401]));
  expect(world.changes).toEqual([]);
});

test("a network of addresses of version 6 counts as one", async () => {
  const world = testWorld();
  const ask = instance(world);
  let n = 0;
  const codes = await times(MOST_FAILURES + 1, () => ask(NOBODY, `2001:db8:1:2::${(++n).toString(16)}`));
  expect([codes.at(-2), codes.at(-1)]).toEqual([401, 429]);
  expect((await ask(NOBODY, "2001:db8:1:3::1")).statusCode).toBe(401);
  const short = await times(MOST_FAILURES + 1, () => ask(NOBODY, `2001:db8::${(++n).toString(16)}`));
  expect([short.at(-2), short.at(-1)]).toEqual([401, 429]);
});

test("hosts' tokens that hold for none are counted as well", async () => {
  const world = testWorld();
  const ask = instance(world, world.table, "POST /v1/agent/poll");
  const codes = await times(MOST_FAILURES + 1, () => ask("Bearer msh_x", "203.0.113.7"));
  expect([codes.at(-2), codes.at(-1)]).toEqual([401, 429]);
});

test("a table that is busy changes nothing of what somebody without a token is told", async () => {
  const world = testWorld();
  const write: Table["write"] = async () => {
    throw new MusterError("busy", "the table is busy");
  };
  const ask = instance(world, { ...world.table, write });
  expect((await ask(NOBODY, "203.0.113.7")).statusCode).toBe(401);
  // Nor of what somebody with one is told, whose use could not be noted.
  expect((await ask(await member(world), "203.0.113.7")).statusCode).toBe(200);
});

test("a token may ask so often at once, and then so often a second; others are not held up", async () => {
  const world = testWorld();
  const dispatch = dispatcher(userDoorOf(world, limiter(world.clock)), routes, handlers(world));
  const ask = (authorization: string) => dispatch(eventOf(WHOAMI, { headers: { authorization } }));
  const [one, other] = [await member(world), await member(world)];
  expect(await times(BURST + 1, () => ask(one))).toEqual([...Array.from({ length: BURST }, () => 200), 429]);
  const told = await ask(one);
  expect([told.headers["retry-after"], bodyOf(told).code]).toEqual(["1", "too_many"]);
  expect((await ask(other)).statusCode).toBe(200);
  world.clock.pass(1000);
  const codes = await times(PER_SECOND + 1, () => ask(one));
  expect(codes).toEqual([...Array.from({ length: PER_SECOND }, () => 200), 429]);
  world.clock.pass(3_600_000);
  expect((await times(BURST + 1, () => ask(one))).filter(code => code === 200)).toHaveLength(BURST);
});

test("an instance answers when it has noted a token's use, which is once a day", async () => {
  const world = testWorld();
  const order: string[] = [];
  const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const write: Table["write"] = async writes => {
    begun.resolve();
    await release.promise;
    await world.table.write(writes);
    order.push("noted");
  };
  const ask = instance(world, { ...world.table, write });
  const token = await member(world);
  const asking = ask(token).then(() => order.push("answered"));
  await begun.promise;
  // As many turns as an answer that waits for nothing would take, and more.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  release.resolve();
  await asking;
  await ask(token).then(() => order.push("answered"));
  expect(order).toEqual(["noted", "answered", "answered"]);
});
