/** The Table contract: any sequence of operations has the results that it has on a plain map. */
import {
  type Conflict,
  type Draft,
  type Expected,
  INDEXES,
  type IndexName,
  type Item,
  type Key,
  type Range,
  type Write,
  WriteConflict,
} from "@muster/core/ports/table.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bench, byBytes, drain } from "./table-subject.ts";

const PARTITIONS = ["P", "Q"];
const SORTS = ["a", "a#1", "a#2", "a\u{10ffff}", "b", "é"];

/** Keys are relative to a run's own partitions. `expect` is resolved against the model, so that most writes fit. */
type Step =
  | { readonly kind: "write"; readonly writes: readonly WriteStep[] }
  | { readonly kind: "get"; readonly key: Key }
  | { readonly kind: "query"; readonly pk: string; readonly index: IndexName | undefined; readonly range: Range }
  | { readonly kind: "pass"; readonly ms: number };

interface WriteStep {
  readonly verb: "put" | "remove" | "check";
  readonly key: Key;
  readonly fits: boolean;
  readonly otherwise: number;
  readonly data: Record<string, unknown>;
  readonly indexes: Partial<Record<IndexName, Key>>;
  readonly lifetime: number | undefined;
}

const key = fc.record({ pk: fc.constantFrom(...PARTITIONS), sk: fc.constantFrom(...SORTS) });
const writeStep: fc.Arbitrary<WriteStep> = fc.record({
  verb: fc.constantFrom("put", "put", "put", "remove", "check"),
  key,
  fits: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
  otherwise: fc.integer({ min: 0, max: 3 }),
  data: fc.dictionary(
    fc.string({ maxLength: 3 }),
    fc.oneof(fc.integer(), fc.string({ unit: "binary" }), fc.constant(null)),
    { noNullPrototype: true },
  ),
  indexes: fc.record({ list: key, due: key, link: key }, { requiredKeys: [] }),
  lifetime: fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined, freq: 6 }),
});
const range: fc.Arbitrary<Range> = fc.record(
  {
    prefix: fc.constantFrom("", "a", "a#", "b", "z"),
    upTo: fc.constantFrom(...SORTS, "a#15"),
    order: fc.constantFrom("ascending", "descending"),
    limit: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      writes: fc.array(writeStep, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("query" as const),
      pk: fc.constantFrom(...PARTITIONS),
      index: fc.constantFrom(undefined, ...INDEXES),
      range,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 100_000 }) }) },
);

export function modelContract(bench: () => Bench, runs: number): void {
  test(`${runs} random sequences of 30 operations do what they do on a map`, { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 30 }), async steps => {
      const model = createModel(bench().now);
      const prefix = bench().partition();
      for (const next of steps) await take(next, bench(), model, of => ({ pk: `${prefix}${of.pk}`, sk: of.sk }));
    });
    await fc.assert(property, { numRuns: runs });
  });
}

async function take(next: Step, { table, now, advance, caughtUp }: Bench, model: Model, own: Own): Promise<void> {
  if (next.kind === "pass") return advance(next.ms);
  if (next.kind === "get") return expect(await table.get(own(next.key))).toEqual(model.get(own(next.key)));
  if (next.kind === "write") {
    const writes = next.writes.map(write => toWrite(write, own, model, now()));
    return expect(await outcome(() => table.write(writes))).toEqual(await outcome(async () => model.write(writes)));
  }
  const { pk } = own({ pk: next.pk, sk: "" });
  const query = { pk, ...next.range, ...(next.index !== undefined && { index: next.index }) };
  if (next.index !== undefined) await caughtUp();
  expect(await drain(table, query)).toEqual(model.query(query));
}

/** The key of this run that a relative key stands for. */
type Own = (key: Key) => Key;

function toWrite(write: WriteStep, own: Own, model: Model, now: number): Write {
  const at = own(write.key);
  const stands: Expected = model.get(at)?.version ?? "absent";
  const other: Expected = write.otherwise === 0 ? "absent" : write.otherwise;
  const expected = write.fits ? stands : other;
  if (write.verb === "check") return { check: at, expect: expected };
  if (write.verb === "remove") return { remove: at, expect: expected === "absent" ? 1 : expected };
  const entries = Object.entries(write.indexes).map(([name, to]) => [name, own(to)]);
  const put: Draft = {
    ...at,
    type: "thing",
    data: write.data,
    ...(entries.length > 0 && { indexes: Object.fromEntries(entries) }),
    ...(write.lifetime !== undefined && { expiresAt: now + write.lifetime }),
  };
  return { put, expect: expected };
}

async function outcome(writing: () => Promise<void>): Promise<unknown> {
  try {
    await writing();
    return "written";
  } catch (error) {
    if (error instanceof WriteConflict) return error.conflicts;
    if (error instanceof Error && "code" in error) return error.code;
    throw error;
  }
}

type Model = ReturnType<typeof createModel>;

function createModel(now: () => number) {
  let items: ReadonlyMap<string, Item> = new Map();
  const lives = (item: Item) => item.expiresAt === undefined || item.expiresAt > now();
  const get = (of: Key) => [items.get(nameOf(of))].find(item => item !== undefined && lives(item));

  function write(writes: readonly Write[]): void {
    refuseTwins(writes);
    const failed = writes.filter(one => (get(keyOf(one))?.version ?? "absent") !== one.expect);
    if (failed.length > 0) throw new WriteConflict(failed.map(one => conflict(one, get(keyOf(one)))));
    const next = new Map(items);
    for (const one of writes) {
      if ("put" in one) next.set(nameOf(one.put), { ...one.put, version: (get(one.put)?.version ?? 0) + 1 });
      if ("remove" in one) next.delete(nameOf(one.remove));
    }
    items = next;
  }

  function query({ pk, index, prefix = "", upTo, order }: Range & { pk: string; index?: IndexName }): unknown[] {
    const placed = [...items.values()].filter(lives).flatMap(item => {
      const place: Key | undefined = index === undefined ? item : item.indexes?.[index];
      return place === undefined ? [] : [{ item, place, path: [place.sk, item.pk, item.sk] }];
    });
    const found = placed
      .filter(({ place }) => place.pk === pk && place.sk.startsWith(prefix))
      .filter(({ place }) => upTo === undefined || byBytes(place.sk, upTo) <= 0)
      .toSorted((a, b) => compareAll(a.path, b.path))
      .map(({ item: { version, ...seen } }) => (index === undefined ? { ...seen, version } : seen));
    return order === "descending" ? found.toReversed() : found;
  }

  return { get, write, query };
}

const nameOf = (of: Key) => JSON.stringify([of.pk, of.sk]);

function keyOf(write: Write): Key {
  if ("put" in write) return write.put;
  return "remove" in write ? write.remove : write.check;
}

function refuseTwins(writes: readonly Write[]): void {
  if (new Set(writes.map(write => nameOf(keyOf(write)))).size < writes.length)
    throw Object.assign(new Error("an item comes twice"), { code: "invalid_request" });
}

function conflict(write: Write, found: Item | undefined): Conflict {
  const { pk, sk } = keyOf(write);
  return { key: { pk, sk }, expected: write.expect, ...(found && { found }) };
}

function compareAll(a: readonly string[], b: readonly string[]): number {
  return a.map((part, n) => byBytes(part, b[n] ?? "")).find(result => result !== 0) ?? 0;
}
