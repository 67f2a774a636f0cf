/** Tokens, and machines that register as themselves; through the real verbs. What a gateway says of a signature is given. */

import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { register } from "@muster/core/host/enroll.ts";
import * as Token from "@muster/core/token/create.ts";
import { list } from "@muster/core/token/list.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { verify } from "@muster/core/token/verify.ts";
import { describe, expect, test } from "vitest";
import { FACTS } from "../support/host.ts";
import { clusterRequest, code, ref } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const account = "123456789012";
const trust = { account, hostRole: "muster-dev-host" };
const person = { account, arn: `arn:aws:iam::${account}:user/ada` };
const machine = (id: string, role = trust.hostRole, of = account) => ({
  account: of,
  arn: `arn:aws:sts::${of}:assumed-role/${role}/${id}`,
});

describe("tokens", () => {
  test("a token lets its person in until it is revoked; its secret is nowhere in the table", async () => {
    const world = testWorld();
    const made = await Token.create(world, ADMIN, { actor: "ben", role: "ci" });
    expect(await verify(world, `Bearer ${made.token}`)).toEqual({
      ...{ workspace: "acme", id: "ben", role: "ci" },
      via: { token: made.id },
    });
    const secret = made.token.slice(-64);
    expect(JSON.stringify(world.changes)).not.toContain(secret);
    expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([
      { id: made.id, actor: "ben", role: "ci", createdAt: made.createdAt, createdBy: ADMIN.id },
    ]);
    expect(await code(revoke(world, EVE, made.id))).toBe("not_found");
    await revoke(world, ADMIN, made.id);
    expect(await code(verify(world, `Bearer ${made.token}`))).toBe("unauthenticated");
    expect(await code(revoke(world, ADMIN, made.id))).toBe("not_found");
    expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
  });

  test("one with an end lets nobody in after it", async () => {
    const world = testWorld();
    const { token } = await Token.create(world, ADMIN, { actor: "ben", role: "member", days: 1 });
    world.clock.pass(86_399_999);
    expect((await verify(world, `Bearer ${token}`)).id).toBe("ben");
    world.clock.pass(1);
    expect(await code(verify(world, `Bearer ${token}`))).toBe("unauthenticated");
  });

  test("the account's own people make the first admin; hosts, other accounts, and whoever no gateway vouches for do not", async () => {
    const world = { ...testWorld(), trust };
    const { token } = await Token.bootstrap(world, person, { actor: "ada" });
    expect(await verify(world, `Bearer ${token}`)).toMatchObject({ id: "ada", role: "admin" });
    const others = [
      machine("i-0123456789abcdef0"),
      machine("somebody"),
      { account: "999999999999", arn: "arn:aws:iam::999999999999:user/eve" },
    ];
    for (const other of others)
      expect([other.arn, await code(Token.bootstrap(world, other, { actor: "eve" }))]).toEqual([
        other.arn,
        "forbidden",
      ]);
    expect(await code(Token.bootstrap(testWorld(), person, { actor: "eve" }))).toBe("forbidden");
  });
});

describe("a machine that registers as itself", () => {
  const NONCE = "a".repeat(64);
  const launched = async (world: TestWorld) => {
    const { id } = await Create.create(world, ADA, clusterRequest());
    // As EC2 names them.
    const { launch } = world.provider;
    world.provider.launch = async intent =>
      (await launch.call(world.provider, intent)).map(one => ({
        ...one,
        machineId: `i-0000000000000000${intent.try}`,
      }));
    await reconcile(world, ref(id));
    return id;
  };

  test("gets its host's token, again with the same nonce, and nobody else does", async () => {
    const world = { ...testWorld(), trust };
    const id = await launched(world);
    const me = machine("i-00000000000000001");
    const first = await register(world, me, { nonce: NONCE, facts: FACTS });
    expect(await register(world, me, { nonce: NONCE, facts: FACTS })).toEqual(first);
    expect((await authenticate(world, `Bearer ${first.hostToken}`)).clusterId).toBe(id);
    expect((await get(world, ADA, id)).state).toBe("ready");
    expect(await code(register(world, me, { nonce: "b".repeat(64), facts: FACTS }))).toBe("unauthenticated");
  });

  test("is asked to come again while its launch is not on record", async () => {
    const world = { ...testWorld(), trust };
    await launched(world);
    expect(await code(register(world, machine("i-00000000000000009"), { nonce: NONCE, facts: FACTS }))).toBe(
      "unavailable",
    );
  });

  test("is believed only with the host role of this account", async () => {
    const world = { ...testWorld(), trust };
    await launched(world);
    const id = "i-00000000000000001";
    const others = [machine(id, "another"), machine(id, trust.hostRole, "999999999999"), machine("i-"), person];
    for (const other of others)
      expect([other.arn, await code(register(world, other, { nonce: NONCE, facts: FACTS }))]).toEqual([
        other.arn,
        "unauthenticated",
      ]);
    expect(await code(register(testWorld(), machine(id), { nonce: NONCE, facts: FACTS }))).toBe("unauthenticated");
  });
});
