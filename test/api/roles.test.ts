/**
 * Who may what: the route table's own words, against real verbs over the SQLite table in memory. The requests are those of
 * the idempotency tests, which have one for every route that changes something.
 */
import { doorOf } from "@muster/api/door.ts";
import { isKeyed, type Route } from "@muster/api/route.ts";
import { entries, type RouteId, routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { covers, ROLES, type Role } from "@muster/core/actor/actor.ts";
import { grant } from "@muster/core/token/create.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import { describe, expect, test } from "vitest";
import { handlers } from "../../functions/handlers.ts";
import { matrix, parts } from "../support/route-matrix.ts";
import { testWorld } from "../support/world.ts";
import { ADMIN, cases } from "./idempotency-cases.ts";
import { eventOf, keyOf } from "./support.ts";

const forUsers = entries.filter(([, route]) => route.auth === "user");
const changing = forUsers.filter(([, route]) => isKeyed(route));

/** What a person with this role is answered, in a world that has what ADMIN made; after ADMIN did the same, if so. */
async function status(id: RouteId, route: Route, actor: string, role: Role, isSecond = false): Promise<number> {
  const world = testWorld();
  const workspace = id.startsWith("workspaces.") ? FIRST : ADMIN.workspace;
  const [asked] = await cases[id as keyof typeof cases](world);
  const dispatch = dispatcher(doorOf(world), routes, handlers(world));
  const send = async (who: string, as: Role) => {
    const { token } = await grant(world, { workspace, actor: who, role: as });
    const { params = {}, body } = asked;
    const { statusCode } = await dispatch(
      eventOf(keyOf(route), {
        rawPath: route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? ""),
        pathParameters: params,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    return statusCode;
  };
  if (isSecond) await send(ADMIN.id, "admin");
  return send(actor, role);
}

/** Whose a route proves to be, by what another member and another admin are told. */
async function proved(id: RouteId, route: Route): Promise<"owner" | "shared" | undefined> {
  const isNew = (await status(id, route, "usr_zoe", "member")) < 300;
  const member = await status(id, route, "usr_zoe", "member", isNew);
  const admin = await status(id, route, "usr_max", "admin", isNew);
  if (member >= 400 && admin < 300) return "owner";
  return member === 403 && admin === 403 ? "shared" : undefined;
}

describe.each(changing)("%s", (id, route) => {
  test("the roles that it names may, and those below may not", async () => {
    const all = await Promise.all(ROLES.map(role => status(id, route, ADMIN.id, role)));
    const isLet = all.map(code => code !== 403);
    expect(isLet).toEqual(ROLES.map(role => route.role !== undefined && covers(role, route.role)));
  });

  test("it is its owner's where the table says so, and nowhere else", async () => {
    // What only admins may is nobody's own.
    expect(route.role === "admin" ? undefined : await proved(id, route)).toBe(route.whose);
  });
});

test("reads are everybody's who has the role", () => {
  const kept = forUsers.filter(([, route]) => route.method === "GET" && route.whose !== undefined);
  expect(kept.map(([id]) => id)).toEqual([]);
});

test("the table of docs/security.md is that of the routes; `node test/support/route-matrix.ts` writes it", () => {
  expect(parts().table).toBe(matrix());
});
