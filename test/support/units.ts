/**
 * What DynamoDB would charge for what core writes, by AWS's published rules: a write unit per KB of each item, twice that in
 * a transaction; and for each index one to put an entry, one to take it away, one to renew it where it stands. The table
 * below is SQLite; items are measured as JSON, which is a little more than DynamoDB's own measure.
 */
import { INDEXES, type Item, type Table, type Write } from "@muster/core/ports/table.ts";

export interface Units {
  writes: number;
  reads: number;
}

const KB = 1024;
const sizeOf = (item: unknown): number => Math.ceil(Buffer.byteLength(JSON.stringify(item)) / KB);

function indexUnits(
  before: Item | undefined,
  after: Item | Extract<Write, { put: unknown }>["put"] | undefined,
): number {
  let units = 0;
  for (const index of INDEXES) {
    const was = before?.indexes?.[index];
    const is = after?.indexes?.[index];
    const moved = was && is && (was.pk !== is.pk || was.sk !== is.sk);
    if (is) units += sizeOf(after);
    if (was && (!is || moved)) units += sizeOf(before);
  }
  return units;
}

/** @returns the table, and the count, which goes on. */
export function counted(table: Table): { table: Table; units: Units } {
  const units: Units = { writes: 0, reads: 0 };
  const charge = async (write: Write, factor: number) => {
    if ("check" in write) return factor;
    const key = "put" in write ? write.put : write.remove;
    const before = await table.get({ pk: key.pk, sk: key.sk });
    const after = "put" in write ? write.put : undefined;
    return factor * Math.max(1, sizeOf(after ?? before)) + indexUnits(before, after);
  };
  return {
    units,
    table: {
      ...table,
      get: key => {
        units.reads++;
        return table.get(key);
      },
      query: table.query,
      write: async writes => {
        const factor = writes.length > 1 ? 2 : 1;
        let cost = 0;
        for (const write of writes) cost += await charge(write, factor);
        await table.write(writes);
        units.writes += cost;
      },
    },
  };
}
