/**
 * Cuts a folder's entries into runs, each of which becomes one archive. The cuts depend on the entries around them, not on
 * how many came before: a file that comes, goes or grows changes the run it is in, seldom the one after.
 */
import { type Entry, sizeOf } from "./list.ts";

/** About half of the usual run, in bytes: 2 GB are some 150 runs, and a small project is one. */
const UNIT = 8_000_000;
/** Packs that a folder may have are 1000; what a project may still gain is left. */
const MOST = 800;
/** What an entry has in an archive beside its content. */
const HEADER = 512;

/** @param unit A file of so many bytes has a run of its own. Doubled until the runs are few enough. */
export function cut(entries: readonly Entry[], unit = UNIT, most = MOST): Entry[][] {
  const runs = divide(entries, unit);
  return runs.length <= most ? runs : cut(entries, unit * 2, most);
}

export const weigh = (run: readonly Entry[]): number => run.reduce((sum, entry) => sum + HEADER + sizeOf(entry), 0);

function divide(entries: readonly Entry[], unit: number): Entry[][] {
  const runs: Entry[][] = [];
  const open = { run: [] as Entry[], bytes: 0 };
  const close = (): void => {
    if (open.run.length > 0) runs.push(open.run);
    Object.assign(open, { run: [], bytes: 0 });
  };
  for (const entry of entries) {
    const bytes = HEADER + sizeOf(entry);
    // Aside: that it comes or goes does not move the cuts between its neighbours.
    if (bytes >= unit) runs.push([entry]);
    else {
      if (open.bytes + bytes > unit * 4) close();
      open.run.push(entry);
      open.bytes += bytes;
      if (open.bytes >= unit / 2 && isCut(entry.path, bytes / (unit * 1.5))) close();
    }
  }
  close();
  return runs;
}

/** By its name alone, at a chance in proportion to its size: so runs are alike in bytes, be their files large or small. */
const isCut = (path: string, chance: number): boolean => hash(path) < chance * 2 ** 32;

/** FNV-1a, with MurmurHash3's last steps to spread it over all 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
