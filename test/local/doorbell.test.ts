/** The doorbell of one process, over SQLite in memory; time passes by fake timers. */
import * as Create from "@muster/core/cluster/create.ts";
import { list } from "@muster/core/deadletter/read.ts";
import { replay } from "@muster/core/deadletter/replay.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { Doorbell } from "@muster/local/run/doorbell.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clusterRequest, stateOf } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] }));
afterEach(() => void vi.useRealTimers());

/** Lets everything happen that is to, in so many ms. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const news = (world: TestWorld): readonly Change[] => world.changes.splice(0);

/** Reading anything of these clusters fails, or never ends. */
function spoilt(world: TestWorld, ids: ReadonlySet<string>, how: "fails" | "hangs"): World {
  const isSpoilt = (pk: string) => [...ids].some(id => pk.includes(id));
  const never = () => (how === "hangs" ? new Promise<never>(() => undefined) : Promise.reject(new Error("spoilt")));
  const table = {
    ...world.table,
    get: (key: { pk: string; sk: string }) => (isSpoilt(key.pk) ? never() : world.table.get(key)),
  };
  return { ...world, table };
}

test("a ring that fails three times is a dead letter, holds up no other, and is done when it is tried anew", async () => {
  const world = testWorld();
  const spoiltIds = new Set<string>();
  const bell = new Doorbell(() => spoilt(world, spoiltIds, "fails"));
  const bad = await Create.create(world, ADA, clusterRequest({ name: "bad" }));
  const good = await Create.create(world, ADA, clusterRequest({ name: "good" }));
  spoiltIds.add(bad.id);
  bell.ring(news(world));
  await pass(1);
  expect(await stateOf(world, good.id)).toBe("booting");
  expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
  await pass(5_000);
  const [letter] = (await list(world, ADMIN, { limit: 10 })).items;
  expect(letter).toMatchObject({ what: `bring up, or down, cluster ${bad.id}`, times: 3, reason: "Error: spoilt" });
  spoiltIds.clear();
  news(world);
  await replay(world, ADMIN, letter?.id ?? "");
  bell.ring(news(world));
  await pass(1);
  expect(await stateOf(world, bad.id)).toBe("booting");
  expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
});

test("rings that never end hold up no others, until there are as many as are answered at once", async () => {
  const world = testWorld();
  const ids = new Set<string>();
  const bell = new Doorbell(() => spoilt(world, ids, "hangs"));
  for (let n = 0; n < 63; n++)
    ids.add((await Create.create(world, ADA, clusterRequest({ name: `c${n}`, nodes: 1 }))).id);
  bell.ring(news(world));
  await pass(10_000);
  const { id } = await Create.create(world, ADA, clusterRequest({ name: "good" }));
  bell.ring(news(world));
  await pass(1);
  expect(await stateOf(world, id)).toBe("booting");
});

test("what rings while its answer is under way is answered once more, and never twice at once", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, clusterRequest());
  const changes = news(world);
  const under = { way: 0, most: 0, answers: 0 };
  const gates: (() => void)[] = [];
  const table = {
    ...world.table,
    get: async (key: { pk: string; sk: string }) => {
      if (key.sk === "CLUSTER" && gates.length < 2) {
        under.most = Math.max(under.most, ++under.way);
        under.answers++;
        await new Promise<void>(resolve => gates.push(resolve));
        under.way--;
      }
      return world.table.get(key);
    },
  };
  const bell = new Doorbell(() => ({ ...world, table }));
  bell.ring(changes);
  await pass(1);
  bell.ring(changes);
  bell.ring(changes);
  await pass(1);
  expect(under).toEqual({ way: 1, most: 1, answers: 1 });
  gates[0]?.();
  await pass(1);
  expect(under.answers).toBe(2);
  gates[1]?.();
  await pass(1);
  expect(under).toEqual({ way: 0, most: 1, answers: 2 });
  expect(await stateOf(world, id)).toBe("booting");
});

test("another workspace's ring comes before the rest of ten thousand", async () => {
  const world = testWorld();
  const order: string[] = [];
  const table = {
    ...world.table,
    get: async (key: { pk: string; sk: string }) => {
      if (key.sk === "CLUSTER") order.push(key.pk.split("#")[1] ?? "");
      return undefined;
    },
  };
  const bell = new Doorbell(() => ({ ...world, table }));
  await Create.create(world, ADA, clusterRequest());
  const [change] = news(world).filter(one => "item" in one && one.item.type === "event");
  if (change === undefined || !("item" in change)) throw new Error("nothing rang");
  const like = (workspace: string, n: number): Change => {
    const { item } = change;
    const data = { ...item.data, clusterId: `clu_${n}`, subject: `clu_${n}` };
    return { item: { ...item, pk: `W#${workspace}#C#clu_${n}`, data } };
  };
  bell.ring(Array.from({ length: 10_000 }, (_, n) => like(ADA.workspace, n)));
  bell.ring([like(EVE.workspace, 1)]);
  await pass(50);
  expect(order).toHaveLength(10_001);
  expect(order.indexOf(EVE.workspace)).toBeLessThan(2);
});

test("after it was closed nothing more is answered, and nothing is tried again", async () => {
  const world = testWorld();
  const ids = new Set<string>();
  const bell = new Doorbell(() => spoilt(world, ids, "fails"));
  ids.add((await Create.create(world, ADA, clusterRequest())).id);
  bell.ring(news(world));
  await pass(1);
  await bell.close();
  await pass(60_000);
  expect(world.errors).toEqual(["a ring failed"]);
});
