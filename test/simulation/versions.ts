/**
 * Two versions of the code beside each other, as while one is deployed. The newer one writes a field that the older one does not
 * know; whoever writes the record again must keep it.
 */
import type { Item, Write } from "@muster/core/ports/table.ts";
import type { Process } from "./process.ts";
import type { Sim } from "./sim.ts";

const FIELD = "ofNewerCode";

/** Types of records that are read, changed and written again. */
const RECORDS: ReadonlySet<string> = new Set([
  "cluster",
  "host",
  "job",
  "array",
  "attempt",
  "pool",
  "budget",
  "schedule",
]);

/** What a process writes. */
export function asWritten(sim: Sim, process: Process, writes: readonly Write[]): readonly Write[] {
  if (!process.isNewer) return writes;
  return writes.map(write => {
    if (!("put" in write) || !RECORDS.has(write.put.type)) return write;
    sim.faults.meet("newerCode");
    return { ...write, put: { ...write.put, data: { ...write.put.data, [FIELD]: true } } };
  });
}

const has = (item: Item | undefined): boolean => item?.data[FIELD] !== undefined;

/** I38: what newer code stored is not erased by older code. */
export function watchVersions(sim: Sim): void {
  sim.db.observers.push((process, written) => {
    for (const { key, before, after } of written)
      if (has(before) && after !== undefined && !has(after))
        sim.violate("I38", `${process.name} erased what newer code had stored in ${key.pk} ${key.sk}`);
  });
}
