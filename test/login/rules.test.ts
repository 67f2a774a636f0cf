/** What an admin may set: issuers and rules that would let in too many are refused; and patterns, against regular expressions. */
import * as Issuer from "@muster/core/issuer/issuer.ts";
import { fits } from "@muster/core/issuer/pattern.ts";
import { get, list } from "@muster/core/issuer/read.ts";
import { remove } from "@muster/core/issuer/remove.ts";
import { set } from "@muster/core/issuer/set.ts";
import { options } from "@muster/core/login/options.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { ADA, EVE, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const GITHUB = { url: Issuer.GITHUB, audiences: ["muster"] };
const GITLAB = { url: Issuer.GITLAB, audiences: ["muster"] };
const PEOPLE = { url: "https://id.acme.example", clientId: "muster" };
const AWS = { kind: "aws" };

const problemsOf = (issuer: object, rule: object): string[] => {
  const read = Issuer.Change.safeParse({ ...issuer, rules: [{ role: "ci", ...rule }] });
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

describe("rules that are narrow enough", () => {
  test.each<[string, object, object]>([
    ["a repository", GITHUB, { repository: "acme/train" }],
    ["two repositories", GITHUB, { repository: ["acme/train", "acme/serve"] }],
    ["a repository by its id", GITHUB, { repository_id: "74" }],
    ["an owner and an environment", GITHUB, { repository_owner: "acme", environment: "prod" }],
    ["an owner's repositories and a branch", GITHUB, { repository: "acme/*", ref: "refs/heads/main" }],
    ["an owner, repositories of a name, and a branch", GITHUB, { repository_owner: "a", repository: "*/b", ref: "c" }],
    ["a project", GITLAB, { project_path: "acme/ml/train" }],
    ["a group and a protected ref", GITLAB, { namespace_path: "acme", ref_protected: true }],
    ["an address", PEOPLE, { email: "*@acme.example" }],
    ["groups", PEOPLE, { groups: ["ml", "infra"] }],
    ["a user of AWS", AWS, { user: "ada" }],
    ["a permission set", AWS, { permissionSet: "Developers" }],
  ])("%s", (_what, issuer, when) => expect(problemsOf(issuer, { when })).toEqual([]));
});

describe("rules that would let in too many", () => {
  const EVERY = /^rules\.0\.when: .*every repository of the world/;
  test.each<[string, object, object, RegExp]>([
    ["nothing said", GITHUB, {}, EVERY],
    ["any repository", GITHUB, { repository: "*" }, EVERY],
    ["any repository of any owner", GITHUB, { repository: "*/*" }, EVERY],
    ["a repository of that name, whoever's", GITHUB, { repository: "*/train" }, EVERY],
    ["one of several that is anybody's", GITHUB, { repository: ["acme/train", "**"] }, EVERY],
    ["one of several owners' that is anybody's", GITHUB, { repository: ["acme/*", "*/train"], ref: "main" }, EVERY],
    ["owners that begin so", GITHUB, { repository: "acme*/train", ref: "refs/heads/main" }, EVERY],
    ["an owner alone", GITHUB, { repository_owner: "acme" }, EVERY],
    ["an owner's repositories alone", GITHUB, { repository: "acme/*" }, EVERY],
    ["an owner, and a ref that is any", GITHUB, { repository_owner: "acme", ref: "**" }, EVERY],
    ["an owner, and a repository of anybody's", GITHUB, { repository_owner: "acme", repository: "*/train" }, EVERY],
    ["a branch alone", GITHUB, { ref: "refs/heads/main" }, EVERY],
    ["an empty repository", GITHUB, { repository: "" }, EVERY],
    ["a subject alone", GITHUB, { sub: "repo:acme/train:*" }, EVERY],
    ["nothing said to GitLab", GITLAB, {}, EVERY],
    ["a group alone", GITLAB, { namespace_path: "acme" }, EVERY],
    ["a user of GitLab's", GITLAB, { user_login: "ada" }, EVERY],
    ["everybody", PEOPLE, {}, /name at least one claim/],
    ["anybody's address", PEOPLE, { email: "**" }, /name at least one claim/],
    ["one of several that is anybody's", PEOPLE, { groups: ["ml", "*"] }, /name at least one claim/],
    ["everybody of the account", AWS, { account: "123456789012" }, /name who: arn/],
    ["any user", AWS, { user: "*" }, /name who: arn/],
    ["any session of that name", AWS, { session: "ada" }, /name who: arn/],
  ])("%s", (_what, issuer, when, told) => {
    expect(problemsOf(issuer, { when })).toEqual([expect.stringMatching(told)]);
    // Who is kept out may be described as loosely as one likes.
    expect(problemsOf(issuer, { when, role: "none" })).toEqual([]);
  });

  const when = { repository: "acme/train" };
  test.each<[string, object, object, RegExp]>([
    [
      "a program that is an admin",
      GITHUB,
      { when, role: "admin" },
      /rules\.0\.role: a program may become ci or viewer/,
    ],
    ["a program that is a member", GITHUB, { when, role: "member" }, /rules\.0\.role/],
    ["a person for two hours", PEOPLE, { when: { sub: "1" }, minutes: 120 }, /60 at most/],
    ["an AWS identity for two hours", AWS, { when: { user: "a" }, minutes: 120 }, /60 at most/],
    ["a workspace that is none", GITHUB, { when, workspace: "A B" }, /rules\.0\.workspace/],
    ["an unknown role", GITHUB, { when, role: "owner" }, /rules\.0\.role/],
    ["a key that there is not", GITHUB, { when, unless: {} }, /rules\.0/],
  ])("%s", (_what, issuer, rule, told) => expect(problemsOf(issuer, rule)).toEqual([expect.stringMatching(told)]));

  test.each<[string, object, RegExp]>([
    ["a plain URL", { ...PEOPLE, url: "http://id.acme.example" }, /^url: /],
    ["a URL with a user", { ...PEOPLE, url: "https://ada@id.acme.example" }, /^url: /],
    ["a URL with a query", { ...PEOPLE, url: "https://id.acme.example?a=b" }, /^url: /],
    ["a URL with a fragment", { ...PEOPLE, url: "https://id.acme.example#a" }, /^url: /],
    ["no URL", { clientId: "muster" }, /^url: say whose/],
    ["a program without an audience", { url: "https://ci.example" }, /^audiences: say for whom/],
    ["GitHub without an audience", { url: Issuer.GITHUB }, /^audiences: say for whom/],
    ["GitHub with a client", { ...GITHUB, kind: "github", clientId: "x" }, /^clientId: only people/],
    ["people without a client", { kind: "people", url: "https://id.acme.example" }, /^clientId: people sign in/],
    ["AWS with a URL", { ...AWS, url: "https://aws.example" }, /^url: an issuer of the kind aws/],
  ])("%s", (_what, issuer, told) => {
    const found = problemsOf(issuer, { when: { repository: "acme/train", user: "ada" } });
    expect(found).toEqual([expect.stringMatching(told)]);
  });
});

describe("issuers", () => {
  const change = (more: object = {}) =>
    Issuer.Change.parse({ ...GITHUB, rules: [{ when: { repository: "acme/train" }, role: "ci" }], ...more });

  test("are set, set anew, listed and removed, by the admins of one workspace, with a line of history each", async () => {
    const world = testWorld();
    const made = await set(world, ADMIN, "Hub", change());
    expect(made).toMatchObject({
      name: "Hub",
      kind: "github",
      as: "repository",
      audiences: ["muster"],
      changedBy: "usr_ada",
    });
    world.clock.pass(1000);
    const anew = await set(world, ADMIN, "hub", change({ audiences: ["other"] }));
    expect(anew).toMatchObject({ name: "hub", audiences: ["other"], createdAt: made.createdAt });
    expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([anew]);
    expect((await list(world, EVE, { limit: 10 })).items).toEqual([]);
    expect(await code(get(world, EVE, "hub"))).toBe("not_found");
    expect(await code(remove(world, EVE, "hub"))).toBe("not_found");
    expect(await get(world, ADMIN, "HUB")).toEqual(anew);
    await remove(world, ADMIN, "hub");
    expect(await code(get(world, ADMIN, "hub"))).toBe("not_found");
    const kinds = world.changes.flatMap(one =>
      "item" in one && one.item.type === "event" ? [one.item.data.kind] : [],
    );
    expect(kinds).toEqual(["issuer.set", "issuer.set", "issuer.removed"]);
  });

  test("that lose what they had keep nothing of it", async () => {
    const world = testWorld();
    const rules = [{ when: { email: "*@acme.example" }, role: "member" }];
    await set(world, ADMIN, "acme", Issuer.Change.parse({ ...PEOPLE, publicClientSecret: "x", rules }));
    const anew = await set(world, ADMIN, "acme", change());
    expect([anew.clientId, anew.publicClientSecret]).toEqual([undefined, undefined]);
    expect(JSON.stringify(await get(world, ADMIN, "acme"))).not.toContain("client");
    expect(anew.audiences).toEqual(["muster"]);
  });

  test("are twenty at most", async () => {
    const world = testWorld();
    for (let index = 0; index < 20; index++) await set(world, ADMIN, `issuer-${index}`, change());
    expect(await code(set(world, ADMIN, "one-more", change()))).toBe("quota_exceeded");
    expect(await code(set(world, ADMIN, "issuer-3", change()))).toBe("nothing");
  });

  test("show those who have no token how to sign in, and not who may", async () => {
    const world = testWorld();
    const main = { ...ADMIN, workspace: "main" };
    const rules = [{ when: { email: "canary@acme.example" }, role: "admin" }];
    await set(world, main, "acme", Issuer.Change.parse({ ...PEOPLE, rules }));
    await set(world, ADMIN, "hub", change());
    expect(await options(world, undefined)).toEqual({
      items: [{ name: "acme", kind: "people", url: PEOPLE.url, clientId: "muster" }],
    });
    expect(await options(world, "acme")).toEqual({
      items: [{ name: "hub", kind: "github", url: Issuer.GITHUB, audience: "muster" }],
    });
    expect(await options(world, "nowhere")).toEqual({ items: [] });
  });
});

describe("patterns", () => {
  /** What they mean, said by a regular expression. */
  const meant = (pattern: string): RegExp =>
    new RegExp(
      `^${pattern
        .split(/(\*+)/)
        .map(part => {
          if (!part.startsWith("*")) return part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
          return part.length > 1 ? "[^]*" : "[^/]*";
        })
        .join("")}$`,
      "u",
    );

  test("fit what a regular expression says", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "*", "@", "🦆"), maxLength: 12 });
    const counts = { yes: 0, no: 0 };
    fc.assert(
      fc.property(text, text, (pattern, given) => {
        const expected = meant(pattern).test(given);
        counts[expected ? "yes" : "no"]++;
        expect(fits(pattern, given)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
    expect(Math.min(counts.yes, counts.no)).toBeGreaterThan(50);
  });

  test("of many stars take no longer than others", () => {
    const pattern = `${"*a".repeat(120)}b`;
    expect(fits(pattern, "a".repeat(1024))).toBe(false);
    expect(fits(pattern, `${"a".repeat(1000)}b`)).toBe(true);
  });
});
