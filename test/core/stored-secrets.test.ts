/**
 * The workspace's secrets: by the real verbs, on SQLite in memory. The secrets' port is a fake that fails when it is told to;
 * races are forced by a table that lets others go first.
 */
import { Replay } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { list } from "@muster/core/secret/list.ts";
import { remove } from "@muster/core/secret/remove.ts";
import { find } from "@muster/core/secret/secret.ts";
import { set } from "@muster/core/secret/set.ts";
import { LEFT_AFTER, sweepSecrets } from "@muster/core/secret/sweep.ts";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { claimed, lost, valueIn, writing } from "./secrets-support.ts";

const HUNTER = { value: "hunter2" };

const names = async (world: TestWorld, actor: typeof ADA | typeof EVE = ADA) =>
  (await list(world, actor, { limit: 100 })).items.map(({ name }) => name);

/** The world, where somebody else acts each time before this one writes; so many times. */
function racing(world: TestWorld, act: () => Promise<unknown>, times = 1): TestWorld {
  let left = times;
  const table = Object.create(world.table) as Table;
  table.get = key => world.table.get(key);
  table.query = world.table.query.bind(world.table);
  table.write = async writes => {
    if (left-- > 0) await act();
    await world.table.write(writes);
  };
  return { ...world, table };
}

describe("a stored secret", () => {
  test("is listed by name with who and when, set anew by others, and removed with its value", async () => {
    const world = testWorld();
    const at = world.clock.now();
    await set(world, ADA, "WANDB", { value: "w" });
    expect(await set(world, ADA, "HF_TOKEN", HUNTER)).toEqual({
      name: "HF_TOKEN",
      owner: ADA.id,
      createdAt: at,
      changedBy: ADA.id,
      changedAt: at,
    });
    world.clock.pass(1000);
    const changed = await set(world, BEN, "HF_TOKEN", { value: "other" });
    expect(changed).toMatchObject({ owner: ADA.id, createdAt: at, changedBy: BEN.id, changedAt: at + 1000 });
    expect((await list(world, ADA, { limit: 10 })).items).toEqual([
      changed,
      expect.objectContaining({ name: "WANDB" }),
    ]);
    expect([await valueIn(world, "HF_TOKEN"), world.secrets.held.size]).toEqual(["other", 2]);
    await remove(world, BEN, "HF_TOKEN");
    expect([await names(world), world.secrets.held.size]).toEqual([["WANDB"], 1]);
    expect(await code(remove(world, BEN, "HF_TOKEN"))).toBe("not_found");
  });

  test("is its workspace's alone, and a name's letters have their case", async () => {
    const world = testWorld();
    await set(world, ADA, "TOKEN", HUNTER);
    await set(world, ADA, "token", { value: "small" });
    expect([await names(world), await names(world, EVE)]).toEqual([["TOKEN", "token"], []]);
    expect(await code(remove(world, EVE, "TOKEN"))).toBe("not_found");
    await expect(remove(world, ADA, "TOKENS")).rejects.toMatchObject({
      details: { issues: [{ suggestion: "did you mean TOKEN?" }], hint: expect.stringContaining("muster secrets set") },
    });
    expect(await valueIn(world, "TOKEN")).toBe("hunter2");
  });

  test("comes in pages, as it stands", async () => {
    const world = testWorld();
    for (let one = 0; one < 7; one++) await set(world, ADA, `S${one}`, HUNTER);
    const first = await list(world, ADA, { limit: 5 });
    const second = await list(world, ADA, { limit: 5, cursor: first.cursor });
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5, 6].map(n => `S${n}`));
    expect(second.cursor).toBeUndefined();
  });
});

describe("when it is set", () => {
  test("its value is there before any record leads to it; when it cannot be kept nothing has changed", async () => {
    const world = testWorld();
    const seen: number[] = [];
    await set(
      racing(world, async () => void seen.push(world.secrets.held.size)),
      ADA,
      "A",
      HUNTER,
    );
    expect(seen).toEqual([1]);
    world.secrets.failing.set("keep", new MusterError("unavailable", "no answer"));
    expect(await code(set(world, ADA, "A", { value: "new" }))).toBe("unavailable");
    world.secrets.failing.set("keep", new MusterError("unavailable", "no answer"));
    expect(await code(set(world, ADA, "B", { value: "new" }))).toBe("unavailable");
    expect([await names(world), await valueIn(world, "A")]).toEqual([["A"], "hunter2"]);
  });

  test("by two at once: both succeed, the later one's holds, and no value is left over", async () => {
    const world = testWorld();
    await set(world, ADA, "A", { value: "first" });
    const slow = racing(world, () => set(world, BEN, "A", { value: "ben" }));
    expect((await set(slow, ADA, "A", { value: "ada" })).changedBy).toBe(ADA.id);
    expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual(["ada", 1]);
    const both = await Promise.all([set(world, ADA, "N", { value: ADA.id }), set(world, BEN, "N", { value: BEN.id })]);
    const now = await find(world.table, "acme", "N");
    expect(await valueIn(world, "N")).toBe(now?.changedBy);
    expect([both.length, world.secrets.held.size]).toEqual([2, 2]);
  });

  test("while another removes it: it is there, with its value; while it is removed: it is gone, with its value", async () => {
    const world = testWorld();
    await set(world, ADA, "A", { value: "old" });
    await set(
      racing(world, () => remove(world, BEN, "A")),
      ADA,
      "A",
      HUNTER,
    );
    expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual(["hunter2", 1]);
    await remove(
      racing(world, () => set(world, BEN, "A", { value: "newer" })),
      ADA,
      "A",
    );
    expect([await names(world), world.secrets.held.size]).toEqual([[], 0]);
  });

  test("in a race that is lost in the end: the old value holds, and the new one is forgotten", async () => {
    const world = testWorld();
    await set(world, ADA, "A", { value: "old" });
    const busy = racing(world, () => set(world, BEN, "A", { value: "ben" }), 100);
    expect(await code(set(busy, ADA, "A", HUNTER))).toBe("busy");
    expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual(["ben", 1]);
  });

  test("and nobody knows whether it was: whichever value holds is never forgotten, and the other is, in time", async () => {
    for (const lands of [true, false]) {
      const world = testWorld();
      await set(world, ADA, "A", { value: "old" });
      const deaf = writing(world, async real => {
        if (lands) await real();
        throw lost();
      });
      expect(await code(set(deaf, claimed("k"), "A", { value: "new" }))).toBe("unavailable");
      const value = lands ? "new" : "old";
      expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual([value, 2]);
      world.clock.pass(LEFT_AFTER + 1);
      expect([await sweepSecrets(world), await valueIn(world, "A")]).toEqual([1, value]);
      // The same request again is the same request, whether it had landed or not.
      const again = await set(world, claimed("k"), "A", { value: "new" }).catch((error: unknown) => error);
      expect(again instanceof Replay).toBe(lands);
      expect([await valueIn(world, "A"), world.secrets.held.size]).toEqual(["new", 1]);
    }
  });

  test("a value that cannot be forgotten fails nothing: it is told, and swept", async () => {
    const world = testWorld();
    await set(world, ADA, "A", { value: "old" });
    world.secrets.failing.set("forget", new MusterError("unavailable", "no answer"));
    await set(world, ADA, "A", HUNTER);
    world.secrets.failing.set("forget", new MusterError("unavailable", "no answer"));
    await remove(world, ADA, "A");
    expect(world.errors).toEqual(Array(2).fill("secrets that nobody needs are left to the sweep"));
    expect([await names(world), world.secrets.held.size]).toEqual([[], 2]);
    world.clock.pass(LEFT_AFTER + 1);
    expect([await sweepSecrets(world), world.secrets.held.size]).toEqual([2, 0]);
  });
});

describe("the sweep", () => {
  test("forgets what no record leads to, of each workspace, and never what one does, however old", async () => {
    const world = testWorld();
    await set(world, ADA, "A", HUNTER);
    await set(world, EVE, "A", { value: "eve" });
    const orphan = { workspace: "acme", owner: "sec_01J00000000000000000000001" };
    await world.secrets.keep(orphan, { value: "x" });
    await world.secrets.keep({ ...orphan, workspace: "nobody" }, { value: "y" });
    expect(await sweepSecrets(world)).toBe(0);
    world.clock.pass(LEFT_AFTER + 1);
    await world.secrets.keep({ ...orphan, owner: "sec_01J00000000000000000000002" }, { value: "young" });
    expect(await sweepSecrets(world)).toBe(2);
    world.clock.pass(365 * 24 * LEFT_AFTER);
    expect(await sweepSecrets(world)).toBe(1);
    expect([await valueIn(world, "A"), await valueIn(world, "A", "elsewhere")]).toEqual(["hunter2", "eve"]);
  });

  test("reads the records of a workspace once, and keeps what newer code may have written", async () => {
    const world = testWorld();
    for (const name of ["A", "B", "C"]) await set(world, ADA, name, HUNTER);
    const { version, ...item } = (await world.table.get({ pk: "W#acme#SECRETS", sk: "SECRET#B" }))!;
    const newer = { put: { ...item, data: { ...item.data, createdAt: "yesterday" } }, expect: version };
    await world.table.write([newer]);
    world.clock.pass(LEFT_AFTER + 1);
    const queries: string[] = [];
    const table = Object.create(world.table) as Table;
    table.get = key => world.table.get(key);
    table.query = ((query: Parameters<Table["query"]>[0]) => {
      queries.push(query.pk);
      return world.table.query(query as never);
    }) as Table["query"];
    expect(await sweepSecrets({ ...world, table })).toBe(0);
    expect([queries, world.secrets.held.size]).toEqual([["W#acme#SECRETS"], 3]);
  });
});
