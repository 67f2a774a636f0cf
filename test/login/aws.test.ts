/** Signing in with an AWS identity, through the real verbs. What a gateway says of a signature is given. */
import * as Issuer from "@muster/core/issuer/issuer.ts";
import { set } from "@muster/core/issuer/set.ts";
import { aws, claimsOf } from "@muster/core/login/aws.ts";
import { verify } from "@muster/core/token/verify.ts";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const account = "123456789012";
const trust = { account, hostRole: "muster-dev-host" };
const user = (name: string, of = account) => ({ account: of, arn: `arn:aws:iam::${of}:user/${name}` });
const session = (role: string, name: string, of = account) => ({
  account: of,
  arn: `arn:aws:sts::${of}:assumed-role/${role}/${name}`,
});
const SSO = "AWSReservedSSO_Developers_0123456789abcdef";

async function open(rules: object[]) {
  const world = { ...testWorld(), trust };
  await set(world, ADMIN, "aws", Issuer.Change.parse({ kind: "aws", rules }));
  return world;
}

describe("who is who", () => {
  test.each([
    [user("ada"), "user/ada"],
    [user("team/ml/ada"), "user/ada"],
    [session(SSO, "ada@acme.example"), "sso/ada@acme.example"],
    [session("Deploy", "whatever-they-like"), "role/Deploy"],
    [{ account, arn: `arn:aws-cn:iam::${account}:user/ada` }, "user/ada"],
  ])("%j is %s", (identity, principal) => {
    expect(claimsOf(trust, identity)?.principal).toBe(principal);
  });

  test.each([
    ["a host of Muster's", session(trust.hostRole, "i-0123456789abcdef0")],
    ["whoever took a host's role on", session(trust.hostRole, "somebody")],
    ["any machine's role", session("Other", "i-0123456789abcdef0")],
    ["a machine with an old id", session("Other", "i-01234567")],
    ["another account's person", user("ada", "999999999999")],
    ["another account's role", session("Deploy", "x", "999999999999")],
    ["an ARN of another account in ours", { account, arn: user("ada", "999999999999").arn }],
    ["the root of the account", { account, arn: `arn:aws:iam::${account}:root` }],
    ["a federated user", { account, arn: `arn:aws:sts::${account}:federated-user/ada` }],
    ["a user with a line end", { account, arn: `arn:aws:iam::${account}:user/ada\nx` }],
    ["nothing", { account, arn: "" }],
  ])("%s is nobody", (_who, identity) => {
    expect(claimsOf(trust, identity)).toBeUndefined();
  });
});

describe("rules by ARN", () => {
  const rules = [
    { when: { user: "eve" }, role: "none" },
    { when: { permissionSet: "Administrators" }, role: "admin" },
    { when: { permissionSet: "*", session: "*@acme.example", role: "AWSReservedSSO_Developers_*" }, role: "member" },
    { when: { arn: `arn:aws:iam::${account}:user/**` }, role: "viewer", minutes: 15 },
  ];
  test.each([
    [user("ada"), "viewer"],
    [user("eve"), "forbidden"],
    [session("AWSReservedSSO_Administrators_0123456789abcdef", "ada"), "admin"],
    [session(SSO, "ada@acme.example"), "member"],
    [session(SSO, "ada@elsewhere.example"), "forbidden"],
    [session("Deploy", "ada@acme.example"), "forbidden"],
    // A role that somebody called so, and that Identity Center did not make.
    [session("AWSReservedSSO_Administrators", "ada"), "forbidden"],
    [session("AWSReservedSSO_Administrators_0123", "ada"), "forbidden"],
  ])("%j becomes %s", async (identity, role) => {
    const world = await open(rules);
    const made = await aws(world, identity, { workspace: "acme" }).catch(error => error);
    expect(made.role ?? made.code).toBe(role);
  });

  test("a token lives as long as the rule says, and tells whose identity it was", async () => {
    const world = await open(rules);
    const made = await aws(world, { ...user("ada"), from: "192.0.2.7" }, { workspace: "acme" });
    expect(made).toMatchObject({ actor: "aws:user/ada", issuer: "aws", workspace: "acme" });
    expect(made.expiresAt).toBe(world.clock.now() + 15 * 60_000);
    const events = world.changes.flatMap(change =>
      "item" in change && change.item.type === "event" ? change.item.data : [],
    );
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "token.created", via: { from: "192.0.2.7", origin: user("ada").arn } }),
    );
    expect(await verify(world, `Bearer ${made.token}`)).toMatchObject({ id: "aws:user/ada", role: "viewer" });
  });

  test("where nobody set it up, nobody comes in; nor where no gateway vouches", async () => {
    expect(await code(aws({ ...testWorld(), trust }, user("ada"), {}))).toBe("forbidden");
    const { trust: _, ...world } = await open(rules);
    expect(await code(aws(world, user("ada"), {}))).toBe("forbidden");
  });
});
