/** Who may make, see and revoke which tokens, and when each was used; the real verbs over the SQLite table in memory. */
import type { Actor, Role } from "@muster/core/actor/actor.ts";
import { ROLES } from "@muster/core/actor/actor.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Table } from "@muster/core/ports/table.ts";
import * as Token from "@muster/core/token/create.ts";
import { list } from "@muster/core/token/list.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { LONGEST_ORIGIN } from "@muster/core/token/token.ts";
import { verify } from "@muster/core/token/verify.ts";
import * as Workspaces from "@muster/core/workspace/create.ts";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const FIRST = { workspace: "main", id: "usr_max", role: "admin" } as const;
const DAY = 24 * 3_600_000;

const admin = (world: TestWorld, actor = "usr_ada", workspace = "acme", more: object = {}) =>
  Token.grant(world, { workspace, actor, role: "admin", ...more });
const bearer = ({ token }: { readonly token: string }) => `Bearer ${token}`;
const seen = async (world: TestWorld, actor: Actor, query: object = {}) =>
  (await list(world, actor, { limit: 100, ...query })).items.map(({ id }) => id);

describe("making", () => {
  test.each(ROLES)("a %s makes no token that may more", async role => {
    const world = testWorld();
    const made = await Promise.all(
      ROLES.map(async (asked: Role) => code(Token.create(world, { ...ADA, role }, { actor: "x", role: asked }))),
    );
    expect(made).toEqual(ROLES.map(asked => (ROLES.indexOf(asked) > ROLES.indexOf(role) ? "forbidden" : "nothing")));
  });

  test("for another workspace only admins of the first do, and only for one that is there", async () => {
    const world = testWorld();
    await Workspaces.create(world, FIRST, { name: "vision" });
    const made = await Token.create(world, FIRST, { actor: "ben", role: "member", workspace: "vision" });
    expect(await verify(world, bearer(made))).toMatchObject({ workspace: "vision", id: "ben", role: "member" });
    const asked = { actor: "eve", role: "member", workspace: "vision" } as const;
    expect(await code(Token.create(world, ADMIN, asked))).toBe("forbidden");
    expect(await code(Token.create(world, { ...FIRST, role: "member" }, asked))).toBe("forbidden");
    expect(await code(Token.create(world, FIRST, { ...asked, workspace: "nowhere" }))).toBe("not_found");
    // Its own needs no record of it.
    expect(await code(Token.create(world, ADMIN, { ...asked, workspace: "acme" }))).toBe("nothing");
  });

  test("where one comes from is told with all that is done with it, as far as that is of a bearable length", async () => {
    const world = testWorld();
    const made = await admin(world, "ci", "acme", { role: "ci", origin: "o".repeat(LONGEST_ORIGIN + 1) });
    expect(made.origin).toHaveLength(LONGEST_ORIGIN);
    expect((await verify(world, bearer(made))).via).toEqual({ token: made.id, origin: made.origin });
  });
});

describe("seeing and revoking", () => {
  test("everybody sees and revokes their own, admins all of their workspace", async () => {
    const world = testWorld();
    const boss = await admin(world);
    const [own, other] = [await admin(world, BEN.id, "acme", { role: "ci" }), await admin(world, "usr_zoe")];
    await admin(world, BEN.id, EVE.workspace);
    expect(await seen(world, BEN)).toEqual([own.id]);
    expect((await seen(world, ADMIN)).sort()).toEqual([boss.id, own.id, other.id].sort());
    expect(await seen(world, ADMIN, { mine: true })).toEqual([boss.id]);
    expect(await code(revoke(world, BEN, other.id))).toBe("not_found");
    expect(await code(revoke(world, { ...EVE, id: BEN.id, role: "member" }, own.id))).toBe("not_found");
    await revoke(world, { ...BEN, role: "viewer" }, own.id);
    await revoke(world, ADMIN, other.id);
    expect(await seen(world, ADMIN)).toEqual([boss.id]);
  });

  test("admins of the first workspace see and revoke those of others; nobody else does", async () => {
    const world = testWorld();
    await Workspaces.create(world, FIRST, { name: "vision" });
    const [one, two] = [await admin(world, "usr_a", "vision"), await admin(world, "usr_b", "vision")];
    expect((await seen(world, FIRST, { workspace: "vision" })).sort()).toEqual([one.id, two.id].sort());
    expect(await code(list(world, ADMIN, { limit: 1, workspace: "vision" }))).toBe("forbidden");
    expect(await code(revoke(world, { ...FIRST, role: "member" }, one.id))).toBe("not_found");
    await revoke(world, FIRST, one.id);
    expect(await seen(world, FIRST, { workspace: "vision" })).toEqual([two.id]);
  });

  test("the last token of an admin stays, unless that is forced; one that has expired is none", async () => {
    const world = testWorld();
    const one = await admin(world);
    await admin(world, "usr_old", "acme", { expiresAt: world.clock.now() });
    await admin(world, "usr_ben", "acme", { role: "member" });
    await admin(world, "usr_eve", "elsewhere");
    expect(await code(revoke(world, ADMIN, one.id))).toBe("conflict");
    const two = await admin(world, "usr_zoe");
    await revoke(world, ADMIN, one.id);
    expect(await code(revoke(world, ADMIN, two.id))).toBe("conflict");
    await revoke(world, ADMIN, two.id, { force: true });
    expect(await code(verify(world, bearer(two)))).toBe("unauthenticated");
  });

  test("one that has expired goes without ado, also when it was an admin's last", async () => {
    const world = testWorld();
    const old = await admin(world, "usr_old", "acme", { expiresAt: world.clock.now() });
    expect(await code(revoke(world, ADMIN, old.id))).toBe("nothing");
  });

  test("of two that are revoked at once, each for the sake of the other, one stays", async () => {
    const world = testWorld();
    const [one, two] = [await admin(world), await admin(world, "usr_zoe")];
    const told = await Promise.all([one, two].map(({ id }) => code(revoke(world, ADMIN, id))));
    expect(told.toSorted()).toEqual(["conflict", "nothing"]);
    expect(await seen(world, ADMIN)).toHaveLength(1);
  });
});

describe("showing one", () => {
  test("unknown, forged, revoked and expired get the same words, after one read at most", async () => {
    const world = testWorld();
    const made = await admin(world);
    const [gone, old] = [await admin(world), await admin(world, "usr_old", "acme", { expiresAt: world.clock.now() })];
    await revoke(world, ADMIN, gone.id);
    let reads = 0;
    const get: Table["get"] = key => {
      reads++;
      return world.table.get(key);
    };
    const told = async (authorization: string | undefined) => {
      reads = 0;
      const error = await verify({ ...world, table: { ...world.table, get } }, authorization).catch(thrown => thrown);
      return [error.code, error.message, JSON.stringify(error.details), reads <= 1];
    };
    const bad = [undefined, "", "Bearer x", `Bearer mst_tok_${"0".repeat(26)}_${"0".repeat(64)}`];
    const shown = [...bad, bearer(made).replace(/.$/, last => (last === "0" ? "1" : "0")), bearer(gone), bearer(old)];
    const all = new Set<string>();
    for (const one of shown) all.add(JSON.stringify(await told(one)));
    expect([...all]).toEqual([
      JSON.stringify([
        "unauthenticated",
        "a valid token is needed",
        JSON.stringify({ hint: "send Authorization: Bearer mst_…" }),
        true,
      ]),
    ]);
  });

  test("the day of its last use is noted once a day, beside the request", async () => {
    const world = testWorld();
    world.clock.pass(5 * 3_600_000);
    const made = await admin(world);
    const use = async () => {
      const work: Promise<void>[] = [];
      await verify(world, bearer(made), one => void work.push(one));
      await Promise.all(work);
      return work.length;
    };
    const lastUsed = async () => (await list(world, ADMIN, { limit: 10 })).items[0]?.lastUsedAt;
    expect(await lastUsed()).toBeUndefined();
    expect([await use(), await use(), await use()]).toEqual([1, 0, 0]);
    const today = Date.UTC(2026, 0, 1);
    expect(await lastUsed()).toBe(today);
    world.clock.pass(DAY);
    expect([await use(), await use(), await lastUsed()]).toEqual([1, 0, today + DAY]);
  });

  test("noting its use does not bring one back that is revoked meanwhile", async () => {
    const world = testWorld();
    const [made] = [await admin(world), await admin(world)];
    let late: () => Promise<void> = async () => {};
    const write: Table["write"] = async writes => {
      late = () => world.table.write(writes);
    };
    await verify({ ...world, table: { ...world.table, write } }, bearer(made), () => undefined);
    await revoke(world, ADMIN, made.id);
    await expect(late()).rejects.toThrow("write conflict");
    expect(await world.table.get(Keys.token(made.id))).toBeUndefined();
  });
});
