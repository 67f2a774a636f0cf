/**
 * Whose request caused an event, from where and with which token: a request to every route that changes something, through
 * the real verbs over the SQLite table in memory. The requests are those of the idempotency tests.
 */
import { doorOf } from "@muster/api/door.ts";
import type { HttpEvent } from "@muster/api/http.ts";
import { isKeyed, type Route } from "@muster/api/route.ts";
import { entries, routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { create } from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { Event } from "@muster/core/event/event.ts";
import { bootstrap, grant } from "@muster/core/token/create.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import { describe, expect, test } from "vitest";
import { handlers } from "../../functions/handlers.ts";
import { clusterRequest } from "../support/requests.ts";
import { type TestWorld, testWorld } from "../support/world.ts";
import { ADMIN, cases } from "./idempotency-cases.ts";
import { eventOf, keyOf } from "./support.ts";

const FROM = "203.0.113.7";
const ORIGIN = "acme/train refs/heads/main";
const http = (method: string): HttpEvent["requestContext"] => ({ http: { method, sourceIp: FROM } });

/** All events that were committed while this ran. */
async function events(world: TestWorld, run: () => Promise<unknown>): Promise<Event[]> {
  const before = world.changes.length;
  await run();
  return world.changes
    .slice(before)
    .flatMap(change => ("item" in change && change.item.type === "event" ? [Event.parse(change.item.data)] : []));
}

const dispatchOf = (world: TestWorld) => dispatcher(doorOf(world), routes, handlers(world));

describe.each(entries.filter(([, route]) => isKeyed(route)))("%s", (id, route: Route) => {
  test("what its request causes says who it was, from where, and with which token", async () => {
    const world = testWorld();
    const [{ params = {}, body }] = await cases[id as keyof typeof cases](world);
    const workspace = id.startsWith("workspaces.") ? FIRST : ADMIN.workspace;
    const made = await grant(world, { workspace, actor: ADMIN.id, role: "admin", origin: ORIGIN });
    const told = await events(world, async () => {
      const answer = await dispatchOf(world)(
        eventOf(keyOf(route), {
          rawPath: route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? ""),
          pathParameters: params,
          headers: { "content-type": "application/json", authorization: `Bearer ${made.token}` },
          requestContext: http(route.method),
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      );
      expect([answer.statusCode, answer.body]).toEqual([route.status, expect.anything()]);
    });
    expect(told.length).toBeGreaterThan(0);
    for (const { actor, kind, via } of told)
      expect([kind, actor, via]).toEqual([kind, ADMIN.id, { token: made.id, from: FROM, origin: ORIGIN }]);
  });
});

test("a token that is made says who made it; with AWS credentials, from where", async () => {
  const world = testWorld();
  const made = await grant(world, { workspace: "acme", actor: "usr_ada", role: "admin" });
  const told = await events(world, () =>
    dispatchOf(world)(
      eventOf("POST /v1/tokens", {
        headers: { "content-type": "application/json", authorization: `Bearer ${made.token}` },
        body: JSON.stringify({ actor: "ben" }),
        requestContext: http("POST"),
      }),
    ),
  );
  expect(told).toMatchObject([{ kind: "token.created", actor: "usr_ada", via: { token: made.id, from: FROM } }]);
  const account = "123456789012";
  const identity = { account, arn: `arn:aws:iam::${account}:user/ada`, from: FROM };
  const first = await events(world, () =>
    bootstrap({ ...world, trust: { account, hostRole: "host" } }, identity, { actor: "ada" }),
  );
  expect(first).toMatchObject([{ kind: "token.created", actor: identity.arn, via: { from: FROM } }]);
});

test("what the control plane does of its own accord says nothing of a request", async () => {
  const world = testWorld();

  const actor = { ...ADMIN, via: { token: "tok_1", from: FROM } };
  const { id } = await create(world, actor, clusterRequest());
  const told = await events(world, () => reconcile(world, { workspace: ADMIN.workspace, clusterId: id }));
  expect(told.map(({ kind, actor: by, via }) => [kind, by, via])).toContainEqual([
    "cluster.launching",
    "system",
    undefined,
  ]);
});
