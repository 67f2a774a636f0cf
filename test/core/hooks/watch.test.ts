/** Deliveries that never came: the real verbs on SQLite in memory, and GitHub's list of deliveries played by the test. */
import * as Delivery from "@muster/core/hook/delivery.ts";
import { remove } from "@muster/core/hook/remove.ts";
import { lookForMissed } from "@muster/core/hook/watch.ts";
import * as Keys from "@muster/core/keys.ts";
import { entryForDue } from "@muster/core/outbox/outbox.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { expect, test } from "vitest";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";
import { deliver, example, fromGithub, makeHook, outside, storeToken } from "./support.ts";

const HOOKS = "/repos/Octocoders/Hello-World/hooks/109948940";
const MINUTE = 60_000;

interface Listed {
  readonly guid: string;
  readonly at: number;
  readonly code?: number;
  readonly event?: string;
}

async function stage(input: object = { token: "FORGE_TOKEN" }) {
  const world = testWorld();
  await storeToken(world);
  const hook = await makeHook(world, input);
  const outer = outside(world);
  let listed: Listed[] = [];
  outer.forge.says.set(`GET ${HOOKS}/deliveries`, () =>
    JSON.stringify(
      listed
        .toSorted((a, b) => b.at - a.at)
        .map(({ guid, at, code = 502, event = "push" }, index) => ({
          ...{ id: 900 + index, guid, event, status_code: code, delivered_at: new Date(at).toISOString() },
        })),
    ),
  );
  outer.forge.says.set(`POST ${HOOKS}/deliveries`, {});
  await deliver(outer, hook, fromGithub(hook.secret.text, "ping", example("ping")));
  const asked = () =>
    outer.forge.asked.filter(({ method }) => method === "POST").map(({ url }) => url.split("/").at(-2));
  const ref = { workspace: ADA.workspace, id: hook.id };
  const look = async (all: Listed[], ms = 10 * MINUTE): Promise<void> => {
    world.clock.pass(ms);
    listed = all;
    await lookForMissed(outer, ref);
  };
  return { world, hook, outer, asked, look, ref };
}

const due = async (world: TestWorld, id: string) => (await world.table.get(Keys.hookWatch(ADA.workspace, id)))?.data;

test("what GitHub could not deliver is sent again, and what came is not", async () => {
  const { world, hook, outer, asked, look } = await stage();
  await deliver(outer, hook, fromGithub(hook.secret.text, "push", example("push"), "it-came"));
  const at = world.clock.now() + MINUTE;
  await look([
    { guid: "it-failed", at },
    { guid: "it-came", at: at + 1, code: 202 },
    { guid: "GitHub-heard-nothing-and-it-came", at: at + 2, event: "ping" },
    { guid: "never-seen-here", at: at + 3, code: 200 },
  ]);
  // The newest first: 900 is the one that never came, though GitHub heard an answer, and 903 the one that failed.
  expect(asked()).toEqual(["900", "903"]);
});

test("not before its time, not what was sent just now, and not what came before the hook was there", async () => {
  const { world, asked, look } = await stage();
  const now = world.clock.now();
  await look([{ guid: "one", at: now }], 9 * MINUTE);
  expect(asked()).toEqual([]);
  await look(
    [
      { guid: "just-now", at: now + 9.5 * MINUTE },
      { guid: "of-before", at: now - 1000 },
    ],
    MINUTE,
  );
  expect(asked()).toEqual([]);
});

test("four times, and then no more", async () => {
  const { world, asked, look } = await stage();
  const at = world.clock.now() + 1000;
  for (let time = 0; time < 20; time++) await look([{ guid: "one", at: at + time * 10 * MINUTE }]);
  expect(asked()).toHaveLength(4);
});

test("twenty at a look, and the rest at the next", async () => {
  const { world, asked, look } = await stage();
  const at = world.clock.now() + 1000;
  const many = Array.from({ length: 30 }, (_, index) => ({ guid: `g${index}`, at: at + index }));
  await look(many);
  expect(asked()).toHaveLength(20);
  for (let time = 0; time < 2; time++) await look(many);
  expect(new Set(asked()).size).toBe(30);
});

test("a GitHub that does not let us is asked seldom, and one that is not there soon again", async () => {
  const { world, hook, outer, look } = await stage();
  outer.outbound.send = async () => ({ status: 404, headers: {}, body: "" });
  await look([]);
  expect(await due(world, hook.id)).toMatchObject({
    dueAt: world.clock.now() + 60 * MINUTE,
    problem: expect.stringMatching(/404/),
  });
  outer.outbound.send = async () => ({ status: 502, headers: {}, body: "" });
  await look([], 60 * MINUTE);
  expect(await due(world, hook.id)).toMatchObject({ dueAt: world.clock.now() + 10 * MINUTE });
});

test("a hook without a token is looked after once it has one, and one that is removed no more", async () => {
  const { world, hook, outer, look, ref } = await stage({});
  await look([]);
  expect((await due(world, hook.id))?.problem).toMatch(/names no token/);
  expect(outer.forge.asked).toEqual([]);
  await remove(world, ADA, hook.id);
  expect(await due(world, hook.id)).toBeUndefined();
  await lookForMissed(outer, ref);
  expect(outer.forge.asked).toEqual([]);
});

test("the sweep of the outbox finds it, and deliveries, when they are due", async () => {
  const { world, hook, outer, asked } = await stage();
  const at = world.clock.now() + 1000;
  outer.forge.says.set(`GET ${HOOKS}/deliveries`, [
    { id: 7, guid: "one", event: "push", status_code: 500, delivered_at: new Date(at).toISOString() },
  ]);
  world.clock.pass(10 * MINUTE);
  const item = await world.table.get(Keys.hookWatch(ADA.workspace, hook.id));
  expect(item && entryForDue(item)).toMatchObject({ type: "hookwatch", id: hook.id });
  expect(await sweepOutbox(outer)).toBeGreaterThan(0);
  expect(asked()).toEqual(["7"]);
  const page = await world.table.query({ pk: Delivery.listKey(ADA.workspace, hook.id, "").pk, index: "list" });
  expect(page.items).toHaveLength(1);
});
