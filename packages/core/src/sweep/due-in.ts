/** What is due in a partition of the index of that name. */
import * as Keys from "../keys.ts";
import type { Sighting, Table } from "../ports/table.ts";

/** Due items that one reading takes. */
const PER_READ = 200;

/**
 * To the end: what fails again and again stays at the front, and must not hide what is behind it.
 * @param now epoch ms
 */
export async function dueIn(table: Table, partition: string, now: number): Promise<readonly Sighting[]> {
  // `~` sorts after the digits and the separator: everything due up to now, whatever it belongs to.
  const range = { pk: partition, index: "due", upTo: `${Keys.dueSort(now)}~`, limit: PER_READ } as const;
  const found: Sighting[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
