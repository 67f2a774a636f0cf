/**
 * Exchanging an issuer's token: the real verbs over the real SQLite table, the Issuers port on jose, and tokens that are signed by real keys. The
 * network is the test's own, so that what is asked of it can be counted.
 */
import * as Issuer from "@muster/core/issuer/issuer.ts";
import { set } from "@muster/core/issuer/set.ts";
import * as Keys from "@muster/core/keys.ts";
import { create } from "@muster/core/token/create.ts";
import { roleOf } from "@muster/core/token/role.ts";
import { verify } from "@muster/core/token/verify.ts";
import { whoami } from "@muster/core/token/whoami.ts";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { exchange } from "./support/exchange.ts";
import { signed } from "./support/issuer.ts";
import { ADMIN, CI, keys, MINUTE, OPERATOR, type Opened, open, token } from "./support/opened.ts";

describe("a job of GitHub's", () => {
  test("gets a token of the role ci, bound to its repository and branch, for an hour", async () => {
    const opened = await open();
    const made = await exchange(opened.world, { token: await token(opened) }, { from: "192.0.2.7" });
    expect(made).toMatchObject({
      workspace: "acme",
      issuer: "github",
      actor: "github:octo-org/octo-repo",
      role: "ci",
      origin: "octo-org/octo-repo refs/heads/main",
      expiresAt: opened.clock.now() + 60 * MINUTE,
    });
    const actor = await verify(opened.world, `Bearer ${made.token}`);
    expect(actor).toEqual({
      workspace: "acme",
      id: "github:octo-org/octo-repo",
      role: "ci",
      via: { token: made.id, origin: "octo-org/octo-repo refs/heads/main" },
    });
    expect(await whoami(opened.world, actor)).toMatchObject({
      issuer: "github",
      token: made.id,
      expiresAt: made.expiresAt,
    });
    opened.clock.pass(60 * MINUTE);
    expect(await code(verify(opened.world, `Bearer ${made.token}`))).toBe("unauthenticated");
  });

  test("that shows its token again gets another that ends when the first does", async () => {
    const opened = await open();
    const shown = await token(opened);
    const first = await exchange(opened.world, { token: shown });
    opened.clock.pass(4 * MINUTE);
    const second = await exchange(opened.world, { token: shown });
    expect([second.id === first.id, second.expiresAt]).toEqual([false, first.expiresAt]);
    opened.clock.pass(2 * MINUTE);
    expect(await code(exchange(opened.world, { token: shown }))).toBe("unauthenticated");
  });

  test("of another repository is forbidden, and told what its token says, but for what is nobody's business", async () => {
    const opened = await open();
    const shown = await token(opened, { repository: "evil/repo", nonce: "canary-nonce" });
    const refused = await exchange(opened.world, { token: shown }).catch(error => error);
    expect([refused.code, refused.message]).toEqual(["forbidden", "no rule of workspace acme lets you in"]);
    expect(refused.details).toMatchObject({
      issuer: "github",
      claims: { repository: "evil/repo", ref: "refs/heads/main" },
    });
    expect(refused.details.others).toContain("nonce");
    expect(JSON.stringify(refused.details)).not.toContain("canary");
  });

  test("is let in by the first rule that fits, and kept out by one that says so", async () => {
    const when = { repository: "octo-org/octo-repo" };
    const opened = await open({
      github: {
        ...CI,
        rules: [
          { when: { ...when, ref: "refs/heads/wip/**" }, role: "none" },
          { when: { ...when, ref: ["refs/heads/main", "refs/tags/*"] }, role: "ci", minutes: 30 },
          { when, role: "viewer" },
        ],
      },
    });
    const roleFor = async (ref: string) => {
      const made = await exchange(opened.world, { token: await token(opened, { ref }) }).catch(error => error);
      return made.role ?? made.code;
    };
    const refs = ["refs/heads/main", "refs/tags/v1", "refs/tags/v1/x", "refs/heads/dev", "refs/heads/wip/a/b"];
    expect(await Promise.all(refs.map(roleFor))).toEqual(["ci", "ci", "viewer", "viewer", "forbidden"]);
  });
});

describe("people", () => {
  const url = "https://id.acme.example";
  const people = (more: object = {}) => ({
    url,
    clientId: "muster-cli",
    rules: [{ when: { email: "*@acme.example" }, role: "member" }],
    ...more,
  });
  const claimsOf = ({ clock }: Opened, more: object = {}) => ({
    iss: url,
    aud: "muster-cli",
    sub: "248289761001",
    email: "ada@acme.example",
    email_verified: true,
    iat: Math.floor(clock.now() / 1000),
    exp: Math.floor(clock.now() / 1000) + 86_400,
    ...more,
  });
  const enter = async (opened: Opened, more: object = {}) =>
    exchange(opened.world, { token: await signed(keys.key, claimsOf(opened, more)) });

  test("are known by their address, under the issuer's name", async () => {
    const opened = await open({ Acme: people() });
    expect(await enter(opened)).toMatchObject({ actor: "acme:ada@acme.example", role: "member", issuer: "Acme" });
  });

  test("an address that nobody has verified decides nothing, and names nobody", async () => {
    const unverified = { email_verified: false, groups: ["ml"] };
    const named = await open({ acme: people({ as: "sub" }) });
    expect(await code(enter(named, unverified))).toBe("forbidden");
    const ruled = await open({ acme: people({ rules: [{ when: { groups: "ml" }, role: "member" }] }) });
    expect(await code(enter(ruled, unverified))).toBe("forbidden");
    expect(await enter(ruled, { groups: ["ml"] })).toMatchObject({ actor: "acme:ada@acme.example" });
    const kept = [
      { when: { email: "ada@*" }, role: "none" },
      { when: { groups: "ml" }, role: "member" },
    ];
    const barred = await open({ acme: people({ as: "sub", rules: kept }) });
    expect(await code(enter(barred, unverified))).toBe("forbidden");
  });

  test("leave no heap of tokens: the store forgets each a day after its end", async () => {
    const opened = await open({ acme: people() });
    const made = await enter(opened);
    const end = (made.expiresAt ?? 0) + 24 * 60 * MINUTE;
    expect((await opened.world.table.get(Keys.token(made.id)))?.expiresAt).toBe(end);
    const noted: Promise<void>[] = [];
    await verify(opened.world, `Bearer ${made.token}`, work => void noted.push(work));
    await Promise.all(noted);
    expect(noted.length).toBe(1);
    expect((await opened.world.table.get(Keys.token(made.id)))?.expiresAt).toBe(end);
    const given = await create(opened.world, ADMIN, { actor: "ben", role: "member", days: 1 });
    expect(await opened.world.table.get(Keys.token(given.id))).not.toHaveProperty("expiresAt");
  });

  test.each([
    ["an address that nobody has verified", { email_verified: false }],
    ["no word on whether it is verified", { email_verified: undefined }],
    ["an address elsewhere", { email: "ada@acme.example.evil" }],
    ["an address in a list", { email: [["ada@acme.example"]] }],
    ["a very long address", { email: `${"a".repeat(200)}@acme.example` }],
  ])("%s is nobody's", async (_what, more) => {
    expect(await code(enter(await open({ acme: people() }), more))).toBe("forbidden");
  });

  test.each([
    ["a job's token, whose audience its writer chose", { project_path: "evil/project" }],
    ["one that another client asked for", { azp: "another-client", aud: ["muster-cli", "another-client"] }],
  ])("%s signs no person in", async (_what, more) => {
    expect(await code(enter(await open({ acme: people() }), more))).toBe("unauthenticated");
  });

  test("are out within the hour after their account ended, however long the issuer's token says it is good", async () => {
    const opened = await open({ acme: people() });
    const shown = await signed(keys.key, claimsOf(opened));
    opened.clock.pass(59 * MINUTE);
    const { token: last, expiresAt } = await exchange(opened.world, { token: shown });
    expect(expiresAt).toBe(opened.clock.now() + MINUTE);
    opened.clock.pass(MINUTE);
    expect(await code(exchange(opened.world, { token: shown }))).toBe("unauthenticated");
    expect(await code(verify(opened.world, `Bearer ${last}`))).toBe("unauthenticated");
  });

  test("what they left to be done goes on for a month", async () => {
    const opened = await open({ acme: people() });
    const { actor } = await enter(opened);
    opened.clock.pass(29 * 24 * 60 * MINUTE);
    expect(await roleOf(opened.world, "acme", actor)).toBe("member");
    opened.clock.pass(25 * 60 * MINUTE);
    expect(await roleOf(opened.world, "acme", actor)).toBeUndefined();
  });

  test("two that the issuer tells apart are never one here, and none is whom an admin named", async () => {
    const opened = await open({
      acme: people({ as: "sub", rules: [{ when: { groups: ["ml", "infra"] }, role: "member" }] }),
    });
    const subjects = [
      "a",
      "A",
      "a b",
      "a%20b",
      "a/b",
      "a:b",
      "a%3Ab",
      "é",
      "e\u0301",
      "a*",
      "🦆",
      "__proto__",
      "usr_ada",
    ];
    const actors = await Promise.all(
      subjects.map(async sub => (await enter(opened, { sub, groups: ["x", "ml"] })).actor),
    );
    expect(new Set(actors).size).toBe(subjects.length);
    for (const actor of actors) expect(actor).toMatch(/^acme:[\w@.+/=%-]+$/);
    expect(await code(enter(opened, { groups: "other" }))).toBe("forbidden");
  });

  test("name the workspace whose own issuer lets them in; only operators let people into others", async () => {
    const opened = await open({ acme: people() });
    await set(opened.world, { ...ADMIN, workspace: "labs" }, "acme", Issuer.Change.parse(people()));
    const shown = await signed(keys.key, claimsOf(opened));
    const refused = await exchange(opened.world, { token: shown, workspace: undefined }).catch(error => error);
    expect([refused.code, refused.message]).toEqual(["forbidden", "no rule lets you in"]);
    expect(JSON.stringify(refused.details)).not.toMatch(/acme"|labs/);
    expect(await exchange(opened.world, { token: shown, workspace: "labs" })).toMatchObject({ workspace: "labs" });
    expect(await code(exchange(opened.world, { token: shown, workspace: "main" }))).toBe("forbidden");
    const into = people({ rules: [{ when: { email: "*@acme.example" }, role: "admin", workspace: "labs" }] });
    expect(await code(set(opened.world, ADMIN, "other", Issuer.Change.parse(into)))).toBe("forbidden");
    expect(await code(set(opened.world, OPERATOR, "other", Issuer.Change.parse(into)))).toBe("not_found");
  });
});
