/** What comes again: the verb that receives and the one that works off, on SQLite in memory. */
import { randomUUID } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import * as Delivery from "@muster/core/hook/delivery.ts";
import { process as workOff } from "@muster/core/hook/process.ts";
import { receive } from "@muster/core/hook/receive.ts";
import { replay } from "@muster/core/hook/replay.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { ADA, testWorld } from "../../support/world.ts";
import { asStandard, deliver, example, fromGithub, fromGitlab, jobsIn, look, makeHook, outside } from "./support.ts";

const DAY = 24 * 3_600_000;
const deliveriesIn = (world: ReturnType<typeof testWorld>): number =>
  world.changes.filter(one => "item" in one && one.item.type === "hookdelivery" && one.item.version === 1).length;

describe("the same again", () => {
  test("240 times in three days, each under a new name, is one delivery and one job", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const payload = example("push");
    const first = await receive(world, hook.id, fromGithub(hook.secret.text, "push", payload));
    expect(first.duplicate).toBe(false);
    let replays = 0;
    for (; replays < 240; replays++) {
      world.clock.pass((3 * DAY) / 240);
      const again = await receive(world, hook.id, fromGithub(hook.secret.text, "push", payload, randomUUID()));
      expect(again).toEqual({ delivery: first.delivery, duplicate: true });
      await workOff(outside(world), { workspace: ADA.workspace, id: first.delivery });
    }
    expect(replays).toBeGreaterThanOrEqual(200);
    expect({ deliveries: deliveriesIn(world), jobs: jobsIn(world) }).toEqual({ deliveries: 1, jobs: 1 });
  });

  test("under the same name with another body is the first one, too", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const id = randomUUID();
    const first = await receive(world, hook.id, fromGithub(hook.secret.text, "push", example("push"), id));
    const again = await receive(world, hook.id, fromGithub(hook.secret.text, "push", { other: true }, id));
    expect(again).toEqual({ delivery: first.delivery, duplicate: true });
  });

  test("under another event's name is the first one, too: that header nobody signs", async () => {
    const world = testWorld();
    const hook = await makeHook(world, {
      rules: [{ events: ["push", "release"], launch: { task: { run: "true" } } }],
    });
    const first = await receive(world, hook.id, fromGithub(hook.secret.text, "push", example("push")));
    const again = await receive(world, hook.id, fromGithub(hook.secret.text, "release", example("push")));
    expect(again).toEqual({ delivery: first.delivery, duplicate: true });
  });

  test.each([
    ["the same body under 16 names", (secret: string) => fromGithub(secret, "push", example("push"), randomUUID())],
    ["the same delivery", (secret: string) => fromGithub(secret, "push", example("push"), "one-and-the-same")],
  ])("16 at once, of %s, are one delivery and one job", async (_, sent) => {
    const world = testWorld();
    const hook = await makeHook(world);
    const receipts = await Promise.all(
      Array.from({ length: 16 }, () => receive(world, hook.id, sent(hook.secret.text))),
    );
    const ids = new Set(receipts.map(({ delivery }) => delivery));
    expect(ids.size).toBe(1);
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    const [id = ""] = ids;
    await Promise.all(Array.from({ length: 16 }, () => workOff(outside(world), { workspace: ADA.workspace, id })));
    expect((await look(world, id)).state).toBe("launched");
    expect({ deliveries: deliveriesIn(world), jobs: jobsIn(world) }).toEqual({ deliveries: 1, jobs: 1 });
  });

  test("to another hook is another delivery", async () => {
    const world = testWorld();
    const one = await makeHook(world, {}, "one");
    const two = await makeHook(world, {}, "two");
    const payload = example("push");
    const first = await receive(world, one.id, fromGithub(one.secret.text, "push", payload, "same"));
    const second = await receive(world, two.id, fromGithub(two.secret.text, "push", payload, "same"));
    expect([second.duplicate, first.delivery === second.delivery]).toEqual([false, false]);
  });

  test("after a week is new: nobody sends again what is so old", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const sent = fromGithub(hook.secret.text, "push", example("push"));
    await receive(world, hook.id, sent);
    world.clock.pass(7 * DAY - 1);
    expect((await receive(world, hook.id, sent)).duplicate).toBe(true);
    world.clock.pass(2);
    expect((await receive(world, hook.id, sent)).duplicate).toBe(false);
  });

  test("of Standard Webhooks: its signed id tells it, and what is old is not let in", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { forge: "standard" });
    const send = (id: string, at = world.clock.now()) =>
      receive(world, hook.id, asStandard(hook.secret.standard, { type: "tick" }, at, id));
    const first = await send("msg_1");
    world.clock.pass(60_000);
    expect(await send("msg_1")).toEqual({ delivery: first.delivery, duplicate: true });
    expect((await send("msg_2")).duplicate).toBe(false);
    const old = world.clock.now();
    world.clock.pass(5 * 60_000 + 1000);
    await expect(send("msg_3", old)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("of GitLab: its key tells it, and where there is none the body does", async () => {
    const world = testWorld();
    const hook = await makeHook(world, { forge: "gitlab" });
    const payload = { object_kind: "push", ref: "refs/heads/main" };
    const send = (key: string | undefined) => {
      const sent = fromGitlab(hook.secret.text, payload);
      return receive(world, hook.id, { ...sent, headers: { ...sent.headers, "idempotency-key": key } });
    };
    const first = await send("one");
    expect(await send("one")).toEqual({ delivery: first.delivery, duplicate: true });
    // Whoever pushes back and forth sends the same text twice.
    expect((await send("two")).duplicate).toBe(false);
    const without = await send(undefined);
    expect(without.duplicate).toBe(false);
    expect(await send(undefined)).toEqual({ delivery: without.delivery, duplicate: true });
  });
});

describe("a delivery that was cut", () => {
  /** Its writes fail as they are told; every one of them is a place to be cut at. */
  const cutting = (table: Table, fate: (write: number) => "well" | "before" | "after"): Table => {
    let writes = 0;
    return {
      ...table,
      write: async all => {
        const how = fate(++writes);
        if (how === "before") throw new MusterError("busy", "the store refused");
        await table.write(all);
        if (how === "after") throw new MusterError("unavailable", "nobody knows");
      },
    };
  };

  test.each(["before", "after"] as const)("%s each of its writes launches once all the same", async how => {
    for (let cut = 1; cut <= 6; cut++) {
      const world = testWorld();
      const hook = await makeHook(world, {
        rules: [
          { events: ["push"], launch: { task: { run: "true" } }, cancelOlder: true },
          { events: ["push"], launch: { task: { run: "false" } } },
        ],
      });
      const { delivery } = await receive(world, hook.id, fromGithub(hook.secret.text, "push", example("push")));
      const ref = { workspace: ADA.workspace, id: delivery };
      const table = cutting(world.table, write => (write >= cut && write < cut + 3 ? how : "well"));
      for (let time = 0; time < 12; time++) {
        const before = { ...outside(world), table: time === 0 ? table : world.table };
        await workOff(before, ref).catch(error => {
          if (!(error instanceof MusterError)) throw error;
        });
        world.clock.pass(60_000);
      }
      const { state, results } = await look(world, delivery);
      expect({ cut, state, jobs: jobsIn(world) }).toEqual({ cut, state: "launched", jobs: 2 });
      expect(new Set(results.map(({ jobId }) => jobId)).size).toBe(2);
    }
  });
});

describe("a delivery that somebody wants looked at once more", () => {
  test("launches anew, once, by the rules of now", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const first = await deliver(outside(world), hook, fromGithub(hook.secret.text, "push", example("push")));
    const again = await replay(world, ADA, "ci", first.id);
    expect([again.state, again.replays, again.results]).toEqual(["pending", 1, []]);
    // Whoever asks twice asks for one.
    await replay(world, ADA, "ci", first.id);
    await workOff(outside(world), { workspace: ADA.workspace, id: first.id });
    await workOff(outside(world), { workspace: ADA.workspace, id: first.id });
    const done = await look(world, first.id);
    expect([done.state, done.replays, jobsIn(world)]).toEqual(["launched", 1, 2]);
    expect(done.results[0]?.jobId).not.toBe(first.results[0]?.jobId);
  });

  test("is its owner's or an admin's to ask for", async () => {
    const world = testWorld();
    const hook = await makeHook(world);
    const { delivery } = await receive(world, hook.id, fromGithub(hook.secret.text, "push", example("push")));
    await expect(replay(world, { ...ADA, id: "usr_ben" }, "ci", delivery)).rejects.toMatchObject({ code: "forbidden" });
    const other = await makeHook(world, {}, "other");
    await expect(replay(world, ADA, other.id, delivery)).rejects.toMatchObject({ code: "not_found" });
    await expect(replay(world, { ...ADA, workspace: "elsewhere" }, hook.id, delivery)).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

test("what a delivery says is kept for 30 days beside it, and its record is small", async () => {
  const world = testWorld();
  const hook = await makeHook(world);
  const paths = Array.from({ length: 20_000 }, (_, at) => `folder/with/a/long/name/file-${at}.ts`);
  const payload = { ...example("push"), commits: [{ added: paths, modified: [], removed: [] }] };
  const { delivery } = await receive(world, hook.id, fromGithub(hook.secret.text, "push", payload));
  const items = world.changes.flatMap(one => ("item" in one && one.item.pk.includes(delivery) ? [one.item] : []));
  expect(items.map(({ type }) => type).sort()).toEqual(["hookdelivery", "hookfacts"]);
  for (const { data, type, expiresAt } of items) {
    expect(JSON.stringify(data).length).toBeLessThan(type === "hookfacts" ? 200_000 : 1024);
    expect(expiresAt).toBe(world.clock.now() + Delivery.KEPT);
  }
});
