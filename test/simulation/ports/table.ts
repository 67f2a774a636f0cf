/**
 * The table in memory: strong reads by key, indexes that lag, writes of all or nothing. It refuses, orders, pages and forgets
 * as the real ones do: test/long/table-twins.test.ts and test/aws/table-twins.test.ts compare them.
 */
import * as Cursor from "@muster/core/cursor.ts";
import {
  type Conflict,
  type Draft,
  type IndexName,
  type Item,
  type Key,
  type Page,
  type Range,
  type Sighting,
  type Table,
  type Write,
  WriteConflict,
} from "@muster/core/ports/table.ts";
import { checkKey, checkRange, checkWrites } from "@muster/core/table/rules.ts";
import { digest } from "../digest.ts";
import { QUIET } from "../kernel.ts";
import { call, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";
import { asWritten } from "../versions.ts";

export interface Written {
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** What was put, as JSON. */
  readonly text: string;
}

export type Observer = (process: Process, written: readonly Written[]) => void;

export class Db {
  readonly #sim: Sim;
  readonly #partitions = new Map<string, Map<string, Item>>();
  readonly #indexes = new Map<string, Map<string, Sighting>>();
  #pending: { readonly time: number; readonly written: Written }[] = [];
  readonly observers: Observer[] = [];
  writes = 0;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  get(key: Key): Item | undefined {
    return this.#partitions.get(key.pk)?.get(key.sk);
  }

  /** Everything of one type, for those who judge. */
  *all(type: string): Generator<Item> {
    for (const partition of this.#partitions.values())
      for (const item of partition.values()) if (item.type === type) yield item;
  }

  /** The item as a process sees it whose clock says `now`. */
  find(key: Key, now: number): Item | undefined {
    checkKey(key);
    const item = this.get(key);
    return item && lives(item, now) ? item : undefined;
  }

  /** @param now absent: also what has expired, for those who judge */
  query(
    query: Range & { readonly pk: string; readonly index?: IndexName },
    now = Number.NEGATIVE_INFINITY,
  ): Page<Item & Sighting> {
    checkRange(query);
    const turn = query.order === "descending" ? -1 : 1;
    const from = query.cursor === undefined ? undefined : Cursor.open(digest, query, query.cursor);
    const inRange = this.#all(query)
      .filter(({ item, place }) => lives(item, now) && fits(place.sort, query))
      .filter(({ place }) => from === undefined || compare(place, from as Place) * turn > 0)
      .sort((a, b) => compare(a.place, b.place) * turn);
    const limit = query.limit ?? 100;
    const page = inRange.slice(0, limit);
    const last = inRange.length > limit ? page.at(-1) : undefined;
    const items = page.map(({ item }) => item as Item & Sighting);
    return { items, ...(last && { cursor: Cursor.seal(digest, query, { ...last.place }) }) };
  }

  write(process: Process, writes: readonly Write[]): void {
    this.#checkForm(process, writes);
    const now = this.#sim.now + process.skew;
    const conflicts = writes.flatMap(write => this.#conflict(write, now));
    if (conflicts.length > 0) throw new WriteConflict(conflicts);
    const written = writes.flatMap(write => ("check" in write ? [] : [this.#apply(write)]));
    this.writes += written.length;
    const last = this.#pending.at(-1)?.time ?? 0;
    // In order: an index may be late, but never shows an older state after a newer one.
    const time = Math.max(last, this.#sim.now + this.#sim.rng.int(this.#sim.climate.indexLag + 1));
    this.#pending.push(...written.map(one => ({ time, written: one })));
    for (const observe of this.observers) observe(process, written);
  }

  #checkForm(process: Process, writes: readonly Write[]): void {
    try {
      checkWrites(writes);
    } catch (error) {
      const keys = writes.map(keyOf).map(key => `${key.pk} ${key.sk}`);
      this.#sim.violate("I0", `${process.name} sent a write that no table takes: ${keys.join(", ")}`);
      throw error;
    }
  }

  #conflict(write: Write, now: number): Conflict[] {
    const key = keyOf(write);
    const item = this.get(key);
    const found = item && lives(item, now) ? item : undefined;
    const isAsExpected = (found?.version ?? "absent") === write.expect;
    return isAsExpected ? [] : [{ key, expected: write.expect, ...(found && { found }) }];
  }

  #apply(write: Exclude<Write, { check: Key }>): Written {
    const key = keyOf(write);
    const before = this.get(key);
    if ("remove" in write) {
      this.#partitions.get(key.pk)?.delete(key.sk);
      return { key, before, after: undefined, text: "" };
    }
    const version = write.expect === "absent" ? 1 : write.expect + 1;
    const text = JSON.stringify(write.put);
    const { indexes = {}, ...put }: Draft = JSON.parse(text);
    const after: Item = { ...put, ...(Object.keys(indexes).length > 0 && { indexes }), version };
    const partition = this.#partitions.get(key.pk) ?? new Map<string, Item>();
    this.#partitions.set(key.pk, partition.set(key.sk, after));
    return { key, before, after, text };
  }

  #all({ pk, index }: { readonly pk: string; readonly index?: IndexName }): { item: Sighting; place: Place }[] {
    if (index !== undefined) return [...this.#shown(index, pk)];
    return [...(this.#partitions.get(pk)?.values() ?? [])].map(item => ({ item, place: { sort: item.sk } }));
  }

  /** What an index shows of one of its partitions now. */
  *#shown(index: IndexName, of: string): Generator<{ item: Sighting; place: Place }> {
    const due = this.#pending.filter(entry => entry.time <= this.#sim.now);
    this.#pending = this.#pending.slice(due.length);
    if (this.#pending.length > 0) this.#sim.faults.meet("indexLags");
    for (const { written } of due) this.#show(written);
    for (const item of this.#indexes.get(`${index} ${of}`)?.values() ?? []) {
      const { pk, sk } = item;
      yield { item, place: { sort: item.indexes?.[index]?.sk ?? "", pk, sk } };
    }
  }

  #show({ key, before, after }: Written): void {
    const name = `${key.pk} ${key.sk}`;
    for (const [index, at] of Object.entries(before?.indexes ?? {}))
      this.#indexes.get(`${index} ${at.pk}`)?.delete(name);
    if (after === undefined) return;
    for (const [index, at] of Object.entries(after.indexes ?? {})) {
      const partition = this.#indexes.get(`${index} ${at.pk}`) ?? new Map<string, Sighting>();
      const { version: _, ...seen } = after;
      this.#indexes.set(`${index} ${at.pk}`, partition.set(name, seen));
    }
  }
}

export function tablePort(sim: Sim, process: Process): Table {
  const { db } = sim;
  const now = () => sim.now + process.skew;
  return {
    get: key => call(sim, process, `${process.name} get ${key.pk} ${key.sk}`, () => db.find(key, now())),
    query: (query: Range & { readonly pk: string; readonly index?: IndexName }) =>
      call(
        sim,
        process,
        `${labelOf(process, query)} ${query.pk} ${query.prefix ?? ""}`,
        () => db.query(query, now()),
        query.index === undefined ? 1 : INDEX_RISK,
      ),
    write: writes => {
      const what = writes.map(describe).join(", ");
      return call(sim, process, `${process.name} write ${what}`, () =>
        db.write(process, asWritten(sim, process, writes)),
      );
    },
  };
}

/** A sweep makes sixteen of these calls, and there is little to learn from their faults. */
const INDEX_RISK = 0.2;

const labelOf = (process: Process, { index }: { readonly index?: IndexName }): string =>
  index === undefined ? `${process.name} query` : `${QUIET}${process.name} index ${index}`;

/** Where something stands in its order: by its sort key, and in an index by its own key after that. */
type Place = { readonly sort: string; readonly pk?: string; readonly sk?: string };

/** By their code units: sort keys here hold nothing that UTF-8 orders otherwise. */
function compare(a: Place, b: Place): number {
  for (const part of ["sort", "pk", "sk"] as const) {
    const [one, other] = [a[part] ?? "", b[part] ?? ""];
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

/** One that has expired is no item, to whoever's clock says so. */
const lives = ({ expiresAt }: Sighting, now: number): boolean => expiresAt === undefined || expiresAt > now;

const fits = (sort: string, { prefix = "", upTo }: Range): boolean =>
  sort.startsWith(prefix) && (upTo === undefined || sort <= upTo);

function describe(write: Write): string {
  const { pk, sk } = keyOf(write);
  if (!("put" in write)) return `${"remove" in write ? "-" : "?"}${pk} ${sk}`;
  const { state } = write.put.data;
  return `${pk} ${sk}${state === undefined ? "" : `=${state}`}`;
}

function keyOf(write: Write): Key {
  if ("put" in write) return { pk: write.put.pk, sk: write.put.sk };
  const { pk, sk } = "remove" in write ? write.remove : write.check;
  return { pk, sk };
}
