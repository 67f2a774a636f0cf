/** What the parts of the Table contract share: the adapter under test, the suite's clock, and names nobody else uses. */
import { randomUUID } from "node:crypto";
import type { Digest } from "@muster/core/ports/ports.ts";
import type { Draft, IndexName, Item, Key, Page, Range, Sighting, Table } from "@muster/core/ports/table.ts";
import { createDigest } from "@muster/node/digest.ts";

/** What the suite gives to the adapter. */
export interface Setup {
  readonly digest: Digest;
  /** The suite's clock: it stands still unless a test moves it. */
  readonly now: () => number;
}

/** What the suite gets. */
export interface Subject {
  readonly table: Table;
  /** Returns when indexes show all that was written. The suite's clock has moved by `SETTLE_MS` before. */
  readonly settle?: () => Promise<void>;
  readonly close: () => Promise<void> | void;
}

export type Open = (setup: Setup) => Promise<Subject>;

/** No adapter under test may have indexes that lag longer than this. */
export const SETTLE_MS = 60_000;

export interface Bench {
  readonly table: Table;
  readonly now: () => number;
  /** Lets time pass on the suite's clock. */
  advance(ms: number): void;
  /** A partition that no test has used. */
  partition(): string;
  /** Waits until indexes show all that was written. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export const digest = createDigest("a key of this suite, 32 bytes long, or more");

export async function bench(open: Open): Promise<Bench> {
  let time = 2_000_000_000_000;
  const now = () => time;
  const subject = await open({ digest, now });
  const advance = (ms: number) => {
    time += ms;
  };
  return {
    table: subject.table,
    now,
    advance,
    partition: () => `contract#${randomUUID()}`,
    caughtUp: async () => {
      advance(SETTLE_MS);
      await subject.settle?.();
    },
    close: async () => subject.close(),
  };
}

export const draft = (key: Key, data: Record<string, unknown> = {}, more: Partial<Draft> = {}): Draft => ({
  pk: key.pk,
  sk: key.sk,
  type: "thing",
  data,
  ...more,
});

/** Adds an item that is not there. */
export const add = (table: Table, key: Key, data: Record<string, unknown> = {}, more: Partial<Draft> = {}) =>
  table.write([{ put: draft(key, data, more), expect: "absent" }]);

type BaseQuery = Range & { readonly pk: string };
type IndexQuery = BaseQuery & { readonly index: IndexName };

/** Every page of a query, one after another. `between` runs before each page but the first. */
export async function pages(
  table: Table,
  query: BaseQuery | IndexQuery,
  between?: () => Promise<void>,
  most = Number.POSITIVE_INFINITY,
) {
  const found: (readonly (Item | Sighting)[])[] = [];
  let cursor: string | undefined;
  do {
    if (found.length > 0) await between?.();
    const page = await pageOf(table, { ...query, ...(cursor !== undefined && { cursor }) });
    found.push(page.items);
    cursor = page.cursor;
  } while (cursor !== undefined && found.length < most);
  return found;
}

/** Every item of a query. */
export const drain = async (table: Table, query: BaseQuery | IndexQuery, between?: () => Promise<void>) =>
  (await pages(table, query, between)).flat();

const pageOf = (table: Table, query: BaseQuery | IndexQuery): Promise<Page<Item | Sighting>> =>
  "index" in query ? table.query({ ...query, index: query.index }) : table.query(query);

/** The order of sort keys: by their UTF-8 bytes. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export const sortKeys = (items: readonly Key[]): string[] => items.map(item => item.sk);
