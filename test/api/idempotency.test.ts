/**
 * Every route that honours `Idempotency-Key`, in every way in which a request may come again: the real routes and verbs in
 * process, on SQLite in memory, with a provider of ours.
 */
import { doorOf } from "@muster/api/door.ts";
import type { HttpAnswer } from "@muster/api/http.ts";
import { isKeyed, type Route } from "@muster/api/route.ts";
import { entries, type RouteId, routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { CLAIM_TTL } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { grant } from "@muster/core/token/create.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import { describe, expect, test } from "vitest";
import { handlers } from "../../functions/handlers.ts";
import { type TestWorld, testWorld } from "../support/world.ts";
import { ADMIN, type Asked, cases } from "./idempotency-cases.ts";
import { bodyOf, eventOf, keyOf } from "./support.ts";

const KEY = "the-same-in-every-try";

interface Stage {
  readonly world: TestWorld;
  /** A request that can succeed, and another to the same route. */
  readonly one: Asked;
  readonly other: Asked;
  /** How writes of verbs go: `refused` writes nothing, `lost` writes and does not say so. */
  fate: "well" | "refused" | "lost";
  /** What happens once a request was found to be new, and nothing else of it was looked at yet. */
  meanwhile?: (() => Promise<unknown>) | undefined;
  send(asked: Asked, more?: { readonly token?: string; readonly key?: string }): Promise<HttpAnswer>;
  /** What was committed since this was asked last, by type. */
  committed(): Record<string, number>;
  token(actor: string, workspace?: string): Promise<string>;
}

async function stageOf(id: RouteId, route: Route): Promise<Stage> {
  const world = testWorld();
  const home = id === "workspaces.create" ? FIRST : ADMIN.workspace;
  const token = async (actor: string, workspace = home) =>
    `Bearer ${(await grant(world, { workspace, actor, role: "admin" })).token}`;
  const own = await token(ADMIN.id);
  const [one, other] = await cases[id as keyof typeof cases](world);
  let seen = world.changes.length;
  const get: Table["get"] = async key => {
    const item = await world.table.get(key);
    const meanwhile = key.sk === "KEY" ? stage.meanwhile : undefined;
    if (meanwhile === undefined) return item;
    stage.meanwhile = undefined;
    await meanwhile();
    return item;
  };
  const table: Table = { ...world.table, get, write: writes => write(stage, writes) };
  const dispatch = dispatcher(doorOf({ ...world, table }), routes, handlers({ ...world, table }));
  const stage: Stage = {
    world,
    one,
    other,
    fate: "well",
    send: (asked, more = {}) => dispatch(event(route, asked, { token: own, key: KEY, ...more })),
    committed: () => {
      // That a token was used is noted once a day, whatever it was used for.
      const types = world.changes
        .slice(seen)
        .map(change => ("item" in change ? change.item.type : "removed"))
        .filter(type => type !== "token");
      seen = world.changes.length;
      return Object.fromEntries([...Map.groupBy(types, type => type)].map(([type, all]) => [type, all.length]));
    },
    token,
  };
  return stage;
}

async function write({ world, fate }: Stage, writes: Parameters<Table["write"]>[0]): Promise<void> {
  if (fate !== "refused") await world.table.write(writes);
  if (fate !== "well") throw new MusterError("unavailable", "the table did not answer");
}

function event(route: Route, { params = {}, body }: Asked, { token, key }: { token: string; key: string }) {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? "");
  return eventOf(keyOf(route), {
    rawPath: path,
    pathParameters: params,
    headers: { "content-type": "application/json", authorization: token, "idempotency-key": key },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const isReplayed = (answer: HttpAnswer): boolean => answer.headers["idempotency-replayed"] === "true";

/** The route's own answer, for the first time. */
function expectFresh(answer: HttpAnswer, route: Route): void {
  expect([answer.statusCode, isReplayed(answer)], answer.body).toEqual([route.status, false]);
}

function expectReplayed(answer: HttpAnswer, first: HttpAnswer): void {
  expect([answer.statusCode, isReplayed(answer)], answer.body).toEqual([first.statusCode, true]);
  expect(answer.body).toBe(first.body);
}

const keyed = entries.filter(([, route]) => isKeyed(route));

test("every route that honours a key has a case, and no other", () => {
  expect(Object.keys(cases).toSorted()).toEqual(keyed.map(([id]) => id).toSorted());
});

describe.each(keyed)("%s", (id, route) => {
  test("the same key and request get the same answer, and have one effect", async () => {
    const stage = await stageOf(id, route);
    const first = await stage.send(stage.one);
    expectFresh(first, route);
    expect(stage.committed().claim).toBe(1);
    // Whatever has become of it since.
    stage.world.clock.pass(CLAIM_TTL - 1_000);
    for (let n = 0; n < 3; n++) expectReplayed(await stage.send(stage.one), first);
    expect(stage.committed()).toEqual({});
  });

  test("the same key with another request is told so, and has no effect", async () => {
    const stage = await stageOf(id, route);
    const first = await stage.send(stage.one);
    stage.committed();
    const other = await stage.send(stage.other);
    expect([other.statusCode, bodyOf(other).code]).toEqual([409, "idempotency_mismatch"]);
    expect(stage.committed()).toEqual({});
    expectReplayed(await stage.send(stage.one), first);
  });

  test("eight at once get one answer, and have the effect of one", async () => {
    const alone = await stageOf(id, route);
    await alone.send(alone.one);
    const stage = await stageOf(id, route);
    const answers = await Promise.all(Array.from({ length: 8 }, () => stage.send(stage.one)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => route.status));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter(answer => !isReplayed(answer))).toHaveLength(1);
    expect(stage.committed()).toEqual(alone.committed());
  });

  test("one that another one overtakes gets its answer, whatever it would find by then", async () => {
    const stage = await stageOf(id, route);
    let first: HttpAnswer | undefined;
    stage.meanwhile = async () => {
      first = await stage.send(stage.one);
    };
    const late = await stage.send(stage.one);
    if (first === undefined) throw new Error("nobody overtook it");
    expectFresh(first, route);
    expectReplayed(late, first);
  });

  test("a failure keeps nothing: the same request may succeed later", async () => {
    const stage = await stageOf(id, route);
    stage.fate = "refused";
    expect((await stage.send(stage.one)).statusCode).toBe(503);
    stage.fate = "well";
    expect(stage.committed()).toEqual({});
    const first = await stage.send(stage.one);
    expectFresh(first, route);
    expectReplayed(await stage.send(stage.one), first);
  });

  test("an effect whose answer was lost is answered when it is asked for again", async () => {
    const stage = await stageOf(id, route);
    stage.fate = "lost";
    expect((await stage.send(stage.one)).statusCode).toBe(503);
    stage.fate = "well";
    stage.committed();
    const again = await stage.send(stage.one);
    expect([again.statusCode, isReplayed(again)], again.body).toEqual([route.status, true]);
    expect(stage.committed()).toEqual({});
  });

  test("a day later the key is new", async () => {
    const stage = await stageOf(id, route);
    await stage.send(stage.one);
    stage.world.clock.pass(CLAIM_TTL);
    const other = await stage.send(stage.other);
    expect([isReplayed(other), bodyOf(other).code === "idempotency_mismatch"]).toEqual([false, false]);
  });

  test("a key is its user's own: of another workspace, and of another user, it is another key", async () => {
    const stage = await stageOf(id, route);
    const first = await stage.send(stage.one);
    for (const token of [await stage.token(ADMIN.id, "elsewhere"), await stage.token("usr_zoe")])
      for (const asked of [stage.one, stage.other]) {
        const answer = await stage.send(asked, { token, key: asked === stage.one ? KEY : `${KEY}-again` });
        expect([isReplayed(answer), bodyOf(answer).code === "idempotency_mismatch"]).toEqual([false, false]);
      }
    expectReplayed(await stage.send(stage.one), first);
  });
});
