/**
 * Two tables, and the same random operations on both: what they return and what they refuse must be equal. Each sequence has
 * partitions of its own, so that many share one store.
 */
import type { Expected, IndexName, Item, Key, Page, Range, Sighting, Table, Write } from "@muster/core/ports/table.ts";
import { INDEXES, WriteConflict } from "@muster/core/ports/table.ts";
import { expect } from "vitest";
import { Rng } from "../simulation/rng.ts";
import { Sim } from "../simulation/sim.ts";

export const OPERATIONS = 20;

/** The two, the first of which says what stands where. */
interface Twins {
  readonly one: Table;
  readonly other: Table;
  /** The clock of both, epoch ms. */
  now(): number;
  pass(ms: number): Promise<void>;
}

/** The simulation's table, without faults and lag, and its clock. */
export function simulated(): Pick<Twins, "one" | "now" | "pass"> {
  const sim = new Sim(0, { climate: { indexLag: 0, skew: 0 } });
  const process = { name: "twin", workspace: undefined, deadline: Number.POSITIVE_INFINITY, skew: 0 };
  const writer = { ...process, dead: false, finished: false, die: () => undefined };
  const query = async (asked: Asked) => sim.db.query(asked, sim.now);
  return {
    one: {
      get: async key => sim.db.find(key, sim.now),
      query: query as Table["query"],
      write: async writes => sim.db.write(writer, writes),
    },
    now: () => sim.now,
    pass: async ms => {
      void sim.kernel.sleep(ms);
      await sim.kernel.run(() => false);
    },
  };
}

/** What was done, by kind: a comparison of nothing proves nothing. */
export type Tally = Record<string, number>;

type Asked = Range & { readonly pk: string; readonly index?: IndexName };

interface Run extends Twins {
  readonly rng: Rng;
  readonly prefix: string;
  readonly tally: Tally;
  /** Where pages ended, as each of the two says it, with the query of which they were. */
  readonly cursors: { readonly asked: Asked; readonly at: readonly [string, string] }[];
}

const SORTS = ["a", "a#1", "a#2", "a\u{10ffff}", "b", "é"];
const PARTS = ["P", "Q"];
const LIFETIMES = [1, 500, 60_000, 7_200_000];

export async function compareTwins(twins: Twins, seed: number, tally: Tally): Promise<void> {
  const run: Run = { ...twins, rng: new Rng(seed), prefix: `${seed}#`, tally, cursors: [] };
  for (let n = 0; n < OPERATIONS; n++) {
    const kind = run.rng.weighted(KINDS);
    tally[kind] = (tally[kind] ?? 0) + 1;
    await operations[kind](run, `seed ${seed}, operation ${n}, ${kind}`);
  }
}

const KINDS = { write: 8, get: 2, query: 3, index: 4, again: 2, refused: 1, pass: 2 } as const;

const operations: Readonly<Record<keyof typeof KINDS, (run: Run, what: string) => Promise<unknown>>> = {
  write: async (run, what) => {
    const count = run.rng.pick([1, 1, 2, 3, 4]);
    const writes: Write[] = [];
    for (let n = 0; n < count; n++) writes.push(await someWrite(run));
    return both(run, what, table => table.write(writes));
  },
  get: (run, what) => {
    const key = someKey(run);
    return both(run, what, table => table.get(key));
  },
  query: (run, what) => leafThrough(run, what, someQuery(run)),
  index: (run, what) => leafThrough(run, what, { ...someQuery(run), index: run.rng.pick(INDEXES) }),
  // Where a page ended once, whatever has become of it; or where a page of another query did.
  again: async (run, what) => {
    if (run.cursors.length === 0) return;
    const { asked, at } = run.rng.pick(run.cursors);
    const query = run.rng.chance(0.8) ? asked : someQuery(run);
    await page(run, what, query, at);
  },
  refused: (run, what) => both(run, what, run.rng.pick(faulty(run))),
  pass: run => run.pass(run.rng.pick(LIFETIMES)),
};

const someKey = ({ rng, prefix }: Run): Key => ({ pk: `${prefix}${rng.pick(PARTS)}`, sk: rng.pick(SORTS) });

async function someWrite(run: Run): Promise<Write> {
  const { rng } = run;
  const key = someKey(run);
  const stands: Expected = (await run.one.get(key))?.version ?? "absent";
  const expected = rng.chance(0.9) ? stands : rng.pick<Expected>(["absent", 1, 2, 3]);
  const verb = rng.weighted({ put: 6, remove: 2, check: 1 });
  if (verb === "check") return { check: key, expect: expected };
  if (verb === "remove") return { remove: key, expect: expected === "absent" ? 1 : expected };
  const indexes = Object.fromEntries(INDEXES.filter(() => rng.chance(0.5)).map(name => [name, someKey(run)]));
  const lifetime = rng.chance(0.3) ? { expiresAt: run.now() + rng.pick(LIFETIMES) } : {};
  const data = {
    n: rng.int(1e6),
    text: rng.pick(["", "é\u{10ffff}", "0"]),
    more: rng.pick([null, [1, { a: false }], {}]),
  };
  return { put: { ...key, type: rng.pick(["thing", "other"]), data, indexes, ...lifetime }, expect: expected };
}

function someQuery({ rng, prefix }: Run): Asked {
  return {
    pk: `${prefix}${rng.pick(PARTS)}`,
    ...(rng.chance(0.3) && { prefix: rng.pick(["", "a", "a#", "b", "z"]) }),
    ...(rng.chance(0.3) && { upTo: rng.pick([...SORTS, "a#15"]) }),
    ...(rng.chance(0.6) && { order: rng.pick(["ascending", "descending"] as const) }),
    ...(rng.chance(0.8) && { limit: rng.between(1, 4) }),
  };
}

/** Page by page to the end; now and then something is written between two of them. */
async function leafThrough(run: Run, what: string, asked: Asked): Promise<void> {
  let at: readonly [string, string] | undefined;
  for (let n = 0; n < 10; n++) {
    at = await page(run, `${what}, page ${n}`, asked, at);
    if (at === undefined) return;
    run.cursors.push({ asked, at });
    if (run.rng.chance(0.2)) await operations.write(run, `${what}, after page ${n}`);
  }
}

/** @returns where it ended, as each of them says it; undefined after the last one. */
async function page(run: Run, what: string, asked: Asked, at: readonly [string, string] | undefined) {
  const ends: (string | undefined)[] = [];
  await both(run, what, async (table, twin) => {
    const { cursor, ...rest } = await ask(table, { ...asked, ...(at !== undefined && { cursor: at[twin] }) });
    ends[twin] = cursor;
    return { ...rest, isLast: cursor === undefined };
  });
  const [one, other] = ends;
  return one === undefined || other === undefined ? undefined : ([one, other] as const);
}

const ask = (table: Table, { index, ...range }: Asked): Promise<Page<Item | Sighting>> =>
  index === undefined ? table.query(range) : table.query({ ...range, index });

/** What no table takes. */
function faulty(run: Run): ((table: Table) => Promise<unknown>)[] {
  const key = someKey(run);
  const put: Write = { put: { ...key, type: "thing", data: {} }, expect: "absent" };
  const many = Array.from(
    { length: 101 },
    (_, n): Write => ({ check: { pk: key.pk, sk: String(n) }, expect: "absent" }),
  );
  const query = someQuery(run);
  return [
    table => table.write([]),
    table => table.write(many),
    table => table.write([put, { check: key, expect: "absent" }]),
    table => table.write([{ ...put, put: { ...put.put, sk: "" } }]),
    table => table.write([{ ...put, put: { ...put.put, indexes: { due: { pk: key.pk, sk: "x".repeat(1_025) } } } }]),
    table => table.write([{ ...put, put: { ...put.put, data: { text: "x".repeat(410_000) } } }]),
    table => table.get({ pk: "x".repeat(2_049), sk: "a" }),
    table => table.get({ pk: "\ud800", sk: "a" }),
    table => ask(table, { ...query, limit: 0 }),
    table => ask(table, { ...query, limit: 1_001 }),
    table => ask(table, { ...query, pk: "" }),
    table => ask(table, { ...query, cursor: "eyJhdCI6e30sIm1hYyI6IiJ9" }),
    table => ask(table, { ...query, cursor: "%%%" }),
  ];
}

async function both(run: Run, what: string, act: (table: Table, twin: 0 | 1) => Promise<unknown>): Promise<void> {
  const [one, other] = [await outcome(() => act(run.one, 0)), await outcome(() => act(run.other, 1))];
  expect(other, what).toEqual(one);
  run.tally[one.kind] = (run.tally[one.kind] ?? 0) + 1;
}

interface Outcome {
  readonly kind: string;
  readonly value?: unknown;
}

/** @throws what no adapter should: anything but a conflict, or a failure with a code. */
async function outcome(act: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: "answered", value: await act() };
  } catch (error) {
    if (error instanceof WriteConflict) return { kind: "conflict", value: error.conflicts };
    if (error instanceof Error && "code" in error) return { kind: String(error.code) };
    throw error;
  }
}
