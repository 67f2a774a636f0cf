/** A table that counts what is asked of it. */
import type { IndexName, Range, Table } from "@muster/core/ports/table.ts";

export interface Counts {
  /** Calls that read: gets, and pages of queries. */
  reads: number;
  /** What those calls returned: a store is paid by it. */
  items: number;
  /** Items that were written, checked or removed. */
  writes: number;
}

/** @param counts goes up with every call; whoever counts anew sets it back. */
export function counted(table: Table, counts: Counts): Table {
  const query = async (asked: Range & { readonly pk: string; readonly index?: IndexName }) => {
    counts.reads++;
    const { index, ...range } = asked;
    const page = index === undefined ? await table.query(range) : await table.query({ ...range, index });
    counts.items += page.items.length;
    return page;
  };
  return {
    get: async key => {
      counts.reads++;
      const item = await table.get(key);
      if (item !== undefined) counts.items++;
      return item;
    },
    query: query as Table["query"],
    write: async writes => {
      counts.writes += writes.length;
      await table.write(writes);
    },
  };
}
