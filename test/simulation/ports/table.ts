/** The table in memory: strong reads by key, indexes that lag, writes of all or nothing. */
import { MusterError } from "@muster/core/error.ts";
import {
  type Conflict,
  type IndexName,
  type Item,
  type Key,
  MAX_WRITES,
  type Page,
  type Range,
  type Sighting,
  type Table,
  type Write,
  WriteConflict,
} from "@muster/core/ports/table.ts";
import { QUIET } from "../kernel.ts";
import { call, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";

export interface Written {
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
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

  query(query: Range & { readonly pk: string; readonly index?: IndexName }): Page<Item & Sighting> {
    const found =
      query.index === undefined
        ? [...(this.#partitions.get(query.pk)?.entries() ?? [])]
        : [...this.#shown(query.index, query.pk)];
    const inRange = found.filter(([sort]) => fits(sort, query)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (query.order === "descending") inRange.reverse();
    const limit = query.limit ?? 100;
    const page = inRange.slice(0, limit);
    const last = inRange.length > limit ? page.at(-1) : undefined;
    return { items: page.map(([, item]) => item as Item), ...(last && { cursor: last[0] }) };
  }

  write(process: Process, writes: readonly Write[]): void {
    this.#checkForm(process, writes);
    const conflicts = writes.flatMap(write => this.#conflict(write));
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
    const keys = writes.map(keyOf).map(key => `${key.pk} ${key.sk}`);
    if (writes.length >= 1 && writes.length <= MAX_WRITES && new Set(keys).size === keys.length) return;
    this.#sim.violate("I0", `${process.name} sent a write that no table takes: ${keys.join(", ")}`);
    throw new MusterError("invalid_request", "a write takes 1 to 100 items, each once");
  }

  #conflict(write: Write): Conflict[] {
    const key = keyOf(write);
    const found = this.get(key);
    const isAsExpected = (found?.version ?? "absent") === write.expect;
    return isAsExpected ? [] : [{ key, expected: write.expect, ...(found && { found }) }];
  }

  #apply(write: Exclude<Write, { check: Key }>): Written {
    const key = keyOf(write);
    const before = this.get(key);
    if ("remove" in write) {
      this.#partitions.get(key.pk)?.delete(key.sk);
      return { key, before, after: undefined };
    }
    const after: Item = { ...JSON.parse(JSON.stringify(write.put)), version: (before?.version ?? 0) + 1 };
    const partition = this.#partitions.get(key.pk) ?? new Map<string, Item>();
    this.#partitions.set(key.pk, partition.set(key.sk, after));
    return { key, before, after };
  }

  /** What an index shows of one of its partitions now. */
  *#shown(index: IndexName, pk: string): Generator<[string, Sighting]> {
    const due = this.#pending.filter(entry => entry.time <= this.#sim.now);
    this.#pending = this.#pending.slice(due.length);
    for (const { written } of due) this.#show(written);
    for (const item of this.#indexes.get(`${index} ${pk}`)?.values() ?? [])
      yield [item.indexes?.[index]?.sk ?? "", item];
  }

  #show({ key, before, after }: Written): void {
    const name = `${key.pk} ${key.sk}`;
    for (const [index, at] of Object.entries(before?.indexes ?? {}))
      this.#indexes.get(`${index} ${at.pk}`)?.delete(name);
    if (after === undefined) return;
    for (const [index, at] of Object.entries(after.indexes ?? {})) {
      const partition = this.#indexes.get(`${index} ${at.pk}`) ?? new Map<string, Sighting>();
      this.#indexes.set(`${index} ${at.pk}`, partition.set(name, after));
    }
  }
}

export function tablePort(sim: Sim, process: Process): Table {
  const { db } = sim;
  return {
    get: key => call(sim, process, `${process.name} get ${key.pk} ${key.sk}`, () => db.get(key)),
    query: (query: Range & { readonly pk: string; readonly index?: IndexName }) =>
      call(
        sim,
        process,
        `${labelOf(process, query)} ${query.pk} ${query.prefix ?? ""}`,
        () => db.query(query),
        query.index === undefined ? 1 : INDEX_RISK,
      ),
    write: writes => {
      const what = writes.map(describe).join(", ");
      return call(sim, process, `${process.name} write ${what}`, () => db.write(process, writes));
    },
  };
}

/** A sweep makes sixteen of these calls, and there is little to learn from their faults. */
const INDEX_RISK = 0.2;

const labelOf = (process: Process, { index }: { readonly index?: IndexName }): string =>
  index === undefined ? `${process.name} query` : `${QUIET}${process.name} index ${index}`;

function fits(sort: string, query: Range): boolean {
  if (query.prefix !== undefined && !sort.startsWith(query.prefix)) return false;
  if (query.upTo !== undefined && sort > query.upTo) return false;
  if (query.cursor === undefined) return true;
  return query.order === "descending" ? sort < query.cursor : sort > query.cursor;
}

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
