/** What failed three times: by the real verbs, routes and rings, on SQLite in memory. */
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import type { Role } from "@muster/core/actor/actor.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { bury, reasonOf } from "@muster/core/deadletter/bury.ts";
import { idOf } from "@muster/core/deadletter/deadletter.ts";
import { get, list } from "@muster/core/deadletter/read.ts";
import { drop, replay } from "@muster/core/deadletter/replay.ts";
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { answer, type Ring, ringFor, subjectOf } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import { grant } from "@muster/core/token/create.ts";
import { describe, expect, test } from "vitest";
import { duties } from "../../functions/cron/duties.ts";
import { ec2 } from "../../functions/events/ec2.ts";
import { admin } from "../../functions/served/admin.ts";
import { eventOf } from "../api/support.ts";
import { clusterRequest, code, stateOf } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const MAIN = { ...ADMIN, workspace: "main" } as const;
const DAY = 86_400_000;

const ring = (clusterId: string): Ring => ({ do: "reconcile", ref: { workspace: ADA.workspace, clusterId } });
const idFor = (of: Ring) => idOf(`${of.do} ${subjectOf(of)}`);
const letters = async (world: TestWorld, actor = ADMIN as typeof ADMIN | typeof MAIN) =>
  (await list(world, actor, { limit: 100 })).items;

describe("a dead letter", () => {
  test("says what failed, since when, how often and why; the same thing is one letter; two weeks later it is gone", async () => {
    const world = testWorld();
    const one = ring("clu_1");
    const at = world.clock.now();
    await buryRing(world, one, 3, new MusterError("unavailable", "nobody answers"));
    world.clock.pass(DAY);
    await buryRing(world, one, 3, new Error("broken"));
    await buryRing(world, ring("clu_2"), 3, new Error("broken"));
    expect(await get(world, ADMIN, idFor(one))).toEqual({
      id: idFor(one),
      what: "look after cluster clu_1",
      times: 6,
      firstAt: at,
      lastAt: at + DAY,
      reason: "Error: broken",
      canReplay: true,
    });
    expect(await letters(world)).toHaveLength(2);
    expect((await list(world, EVE, { limit: 100 })).items).toEqual([]);
    expect(await code(get(world, EVE, idFor(one)))).toBe("not_found");
    world.clock.pass(14 * DAY);
    expect(await code(get(world, ADMIN, idFor(one)))).toBe("not_found");
  });

  test("has nothing in it that might be a secret", () => {
    const error = new Error(
      'GET https://b.s3.amazonaws.com/k?X-Amz-Signature=abc failed, token=hush mst_tok1_verysecret AKIAABCDEFGHIJKLMNOP {"password":"pw1"}\nstack',
    );
    const reason = reasonOf(error);
    for (const secret of ["abc", "hush", "verysecret", "AKIAABCDEFGHIJKLMNOP", "pw1", "stack"])
      expect(reason).not.toContain(secret);
    expect(reason).toContain("https://b.s3.amazonaws.com/k?…");
    expect(reasonOf(new Error("x".repeat(5000))).length).toBeLessThan(400);
  });

  test("has an id of its own, also where 32 bits of a hash are not enough", () => {
    const pair = ["7F9WXEJJSQ3WMTJAPEJ3", "N55AT16ZE76X0DNCZX8J"].map((end, n) => `clu_01KAM${"CH"[n]}${end}`);
    const subjects = pair.map(id => `reconcile cluster acme ${id}`);
    expect(new Set(subjects.map(Keys.spread)).size).toBe(1);
    expect(new Set(subjects.map(idOf)).size).toBe(2);
  });

  test("is short, however many hosts it is about, and however much was said of it", async () => {
    const world = testWorld();
    const ranks = Array.from({ length: 2000 }, (_, rank) => rank);
    const kick: Ring = { do: "kick", ref: { workspace: ADA.workspace, clusterId: "clu_1" }, ranks };
    await buryRing(world, kick, 3, new Error(`no host: ${"https://a".repeat(50_000)}`));
    const [letter] = await letters(world);
    expect(letter).toMatchObject({ what: "call the hosts of cluster clu_1" });
    expect(JSON.stringify(letter).length).toBeLessThan(1000);
  });

  test("that is tried anew has its ring answered, and goes; to ask twice does no harm", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest());
    world.changes.length = 0;
    const lost = ring(id);
    await buryRing(world, lost, 3, new Error("broken"));
    expect(world.changes.map(ringFor)).toEqual([undefined]);
    await ringAll(world);
    expect(await stateOf(world, id)).toBe("requested");
    for (let twice = 0; twice < 2; twice++)
      expect(await replay(world, ADMIN, idFor(lost))).toMatchObject({ replayedBy: ADA.id });
    await ringAll(world, 2);
    expect(await stateOf(world, id)).toBe("booting");
    expect(await letters(world)).toEqual([]);
    expect(await code(replay(world, ADMIN, idFor(lost)))).toBe("not_found");
  });

  test("that fails again when it is tried anew stays, and can be tried once more", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest());
    const lost = ring(id);
    await buryRing(world, lost, 3, new Error("broken"));
    await replay(world, ADMIN, idFor(lost));
    const again: Ring = { do: "replay", workspace: ADA.workspace, id: idFor(lost) };
    const real = world.provider.launch;
    world.provider.launch = async () => Promise.reject(new Error("the cloud is down"));
    await expect(answer(world, again)).rejects.toThrow("the cloud is down");
    await buryRing(world, again, 3, new Error("the cloud is down"));
    expect(await letters(world)).toMatchObject([{ times: 6, reason: "Error: the cloud is down" }]);
    expect((await letters(world))[0]).not.toHaveProperty("replayedAt");
    world.provider.launch = real;
    world.clock.pass(60_000);
    await replay(world, ADMIN, idFor(lost));
    await ringAll(world);
    expect(await letters(world)).toEqual([]);
  });

  test("that failed by itself while it was tried anew stays", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest());
    const lost = ring(id);
    await buryRing(world, lost, 3, new Error("broken"));
    await replay(world, ADMIN, idFor(lost));
    const real = world.provider.launch;
    world.provider.launch = async intent => {
      world.clock.pass(1);
      await buryRing(world, lost, 3, new Error("broken anew"));
      return real.call(world.provider, intent);
    };
    await answer(world, { do: "replay", workspace: ADA.workspace, id: idFor(lost) });
    expect(await letters(world)).toMatchObject([{ times: 6, reason: "Error: broken anew" }]);
  });

  test("is dropped when somebody says so", async () => {
    const world = testWorld();
    await buryRing(world, ring("clu_1"), 3, new Error("broken"));
    await drop(world, ADMIN, idFor(ring("clu_1")));
    expect(await letters(world)).toEqual([]);
    await buryRing(world, { do: "replay", workspace: ADA.workspace, id: idFor(ring("clu_1")) }, 3, new Error("late"));
    expect(await letters(world)).toEqual([]);
  });

  test("is for admins alone", async () => {
    const world = testWorld();
    await buryRing(world, ring("clu_1"), 3, new Error("broken"));
    const dispatch = dispatcher(doorOf(world), routes, { ...admin(world) } as never);
    const letter = idFor(ring("clu_1"));
    const statusOf = async (role: Role, route: string) => {
      const { token } = await grant(world, { workspace: ADA.workspace, actor: "usr_x", role });
      const more = { headers: { authorization: `Bearer ${token}` }, pathParameters: { letter } };
      return (await dispatch(eventOf(route, more))).statusCode;
    };
    const asked = [
      "GET /v1/deadletters",
      "GET /v1/deadletters/{letter}",
      "POST /v1/deadletters/{letter}/replay",
      "DELETE /v1/deadletters/{letter}",
    ];
    const statusesOf = (role: Role) => Promise.all(asked.map(route => statusOf(role, route)));
    for (const role of ["viewer", "ci", "member"] as const)
      expect(await statusesOf(role)).toEqual([403, 403, 403, 403]);
    const statuses = [];
    for (const route of asked) statuses.push(await statusOf("admin", route));
    expect(statuses).toEqual([200, 200, 202, 200]);
  });
});

describe("what is called by itself", () => {
  test("is a dead letter when it has failed three times in an hour, and fails all the same", async () => {
    const world = testWorld();
    const none = async () => undefined;
    const fails = async () => Promise.reject(new Error("no catalog"));
    const run = duties(world, { due: none, orphans: none, secrets: none, unused: none, catalog: fails });
    for (let time = 1; time <= 2; time++) await expect(run({ duty: "catalog" })).rejects.toThrow("no catalog");
    await run({ duty: "due" });
    expect(await letters(world, MAIN)).toEqual([]);
    await expect(run({ duty: "catalog" })).rejects.toThrow("no catalog");
    const [letter] = await letters(world, MAIN);
    expect(letter).toMatchObject({ what: "run the duty 'catalog'", times: 3, canReplay: false });
    expect(await code(replay(world, MAIN, letter?.id ?? ""))).toBe("unsupported");
  });

  test("is counted anew after an hour without a failure", async () => {
    const world = testWorld();
    const failed = { workspace: "main", subject: "duty x", what: "x", times: 1, error: new Error("no") };
    for (let time = 1; time <= 2; time++) await bury(world, failed);
    world.clock.pass(3_600_001);
    await bury(world, failed);
    expect(await letters(world, MAIN)).toEqual([]);
    expect((await world.table.get(Keys.deadLetter("main", idOf("duty x"))))?.data.times).toBe(1);
  });

  test("an event of the cloud that failed is heard when it is tried anew", async () => {
    const world = testWorld();
    const hear = ec2({
      ...world,
      table: { ...world.table, query: async () => Promise.reject(new Error("no index")) },
    });
    const notice = { "detail-type": "EC2 Spot Instance Interruption Warning", detail: { "instance-id": "i-1" } };
    for (let time = 1; time <= 3; time++) await expect(hear(notice)).rejects.toThrow("no index");
    const [letter] = await letters(world, MAIN);
    expect(letter).toMatchObject({ what: "hear what became of machine i-1", times: 3, canReplay: true });
    world.changes.length = 0;
    await replay(world, MAIN, letter?.id ?? "");
    await ringAll(world);
    expect(await letters(world, MAIN)).toEqual([]);
  });
});
