/** Lists of jobs and their filters: the real verbs on SQLite in memory. */
import * as Create from "@muster/core/cluster/create.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import type { Filter } from "@muster/core/job/filter.ts";
import { matcher } from "@muster/core/job/filter.ts";
import type * as Job from "@muster/core/job/job.ts";
import { list } from "@muster/core/job/list.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { clusterRequest, code, jobRequest } from "../support/requests.ts";
import { ADA, BEN, type TestWorld, testWorld } from "../support/world.ts";

const MINUTE = 60_000;

/** Three jobs, a minute apart: `train-1` of Ada's (cancelled), `train-2` of Ada's, `Eval` of Ben's. */
async function some(): Promise<{ world: TestWorld; from: number }> {
  const world = testWorld();
  const from = world.clock.now();
  await Create.create(world, ADA, clusterRequest({ shared: true }));
  const first = await submit(
    world,
    ADA,
    "demo",
    jobRequest({ name: "train-1", labels: { team: "vision", gpu: "yes" } }),
  );
  await cancel(world, ADA, first.id);
  world.clock.pass(MINUTE);
  await submit(world, ADA, "demo", jobRequest({ name: "train-2", labels: { team: "text" } }));
  world.clock.pass(MINUTE);
  await submit(world, BEN, "demo", jobRequest({ name: "Eval" }));
  return { world, from };
}

const named = async (world: TestWorld, filter: Filter): Promise<(string | undefined)[]> =>
  (await list(world, ADA, { limit: 100, ...filter })).items.map(job => job.name);

test.each<[string, Filter, string[]]>([
  ["nothing said", {}, ["Eval", "train-2", "train-1"]],
  ["a fine state", { state: "cancelled" }, ["train-1"]],
  ["a coarse state", { state: "pending" }, ["Eval", "train-2"]],
  ["several states", { state: "cancelled, queued" }, ["Eval", "train-2", "train-1"]],
  ["those that have not ended", { active: true }, ["Eval", "train-2"]],
  ["a name", { name: "eval" }, ["Eval"]],
  ["the beginning of a name", { name: "train-*" }, ["train-2", "train-1"]],
  ["a piece of a name", { name: "*a*-2" }, ["train-2"]],
  ["a dot that is only a dot", { name: "train.1" }, []],
  ["a label's value", { labels: "team=vision" }, ["train-1"]],
  ["a label, whatever its value", { labels: "team" }, ["train-2", "train-1"]],
  ["two labels", { labels: "team=vision,gpu=yes" }, ["train-1"]],
  ["a name that every object has", { labels: "constructor" }, []],
  ["one's own", { owner: "me" }, ["train-2", "train-1"]],
  ["another's", { owner: BEN.id }, ["Eval"]],
  ["a provider", { provider: "fake" }, ["Eval", "train-2", "train-1"]],
  ["a provider that there is not", { provider: "aws" }, []],
])("%s", async (_, filter, names) => {
  const { world } = await some();
  expect(await named(world, filter)).toEqual(names);
});

test("by time: from a moment on, and before one", async () => {
  const { world, from } = await some();
  expect(await named(world, { since: from + MINUTE })).toEqual(["Eval", "train-2"]);
  expect(await named(world, { until: from + MINUTE })).toEqual(["train-1"]);
  expect(await named(world, { since: from + 1, until: from + 2 * MINUTE })).toEqual(["train-2"]);
  // Beyond all time that an id can tell.
  expect(await named(world, { until: 1e20 })).toEqual(["Eval", "train-2", "train-1"]);
  expect(await named(world, { until: -1 })).toEqual([]);
});

test("what is too old, or too young, is not read", async () => {
  const { world, from } = await some();
  const asked: number[] = [];
  const table = {
    query: async (query: Parameters<typeof world.table.query>[0]) => {
      const page = await world.table.query({ ...query, limit: 1 } as never);
      asked.push(page.items.length);
      return page;
    },
  };
  const counting = { table: { ...world.table, ...table } } as Pick<TestWorld, "table">;
  expect(await list(counting, ADA, { limit: 100, since: from + 2 * MINUTE })).toMatchObject({
    items: [{ name: "Eval" }],
  });
  // The one that is listed, and the one that says that the rest is older.
  expect(asked).toEqual([1, 1]);
});

test("a state that is none is told, with the one that may have been meant", async () => {
  const { world } = await some();
  expect(await code(list(world, ADA, { limit: 10, state: "runing" }))).toBe("invalid_request");
  await expect(list(world, ADA, { limit: 10, state: "runing" })).rejects.toThrow("'runing' is no state");
});

test("patterns match as regular expressions of their pieces would, and take no time", () => {
  const job = (name: string) => ({ name, state: "queued", createdAt: 0 }) as Job.Job;
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 12 });
  void fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (pattern, name) => {
      fc.pre(pattern !== "");
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name);
      expect(matcher({ name: pattern }, "me")(job(name))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
  expect(matcher({ name: `${"a*".repeat(250)}b` }, "me")(job("a".repeat(63)))).toBe(false);
});
