/**
 * Places in a long log, found with few lists. Blob stores list forwards only, so the end is looked for by steps that
 * double, and then by halves: some twenty lists in a million chunks.
 */
import { endOf, type Head, type List, MOST } from "./chunks.ts";

/**
 * The number of the first chunk for which `test` holds, given that it holds for all behind that one as well; where it holds
 * for none, the number behind the last.
 */
export async function seek(list: List, test: (head: Head) => boolean): Promise<number> {
  const page = await list(0, MOST);
  const found = page.find(test);
  if (found !== undefined) return found.sequence;
  const end = endOf(page, 0);
  return page.length < MOST ? end : stride(list, test, end, MOST);
}

/** For none before `below` it holds. */
async function stride(list: List, test: (head: Head) => boolean, below: number, step: number): Promise<number> {
  const [head] = await list(below + step, 1);
  if (head === undefined || test(head)) return halve(list, test, below, below + step);
  return stride(list, test, head.sequence + 1, step * 2);
}

/** Nor for any before `below`; from `above` on it holds, or there is nothing. */
async function halve(list: List, test: (head: Head) => boolean, below: number, above: number): Promise<number> {
  if (above - below <= MOST) {
    const page = await list(below, MOST);
    return page.find(test)?.sequence ?? endOf(page, below);
  }
  const middle = below + Math.floor((above - below) / 2);
  const [head] = await list(middle, 1);
  return head === undefined || test(head)
    ? halve(list, test, below, middle)
    : halve(list, test, head.sequence + 1, above);
}

/** The number of the chunk with which the last `bytes` before `end` begin; `from`, when there are fewer behind that. */
export async function back(list: List, from: number, end: number, bytes: number): Promise<number> {
  if (end <= from) return from;
  const start = Math.max(from, end - MOST);
  const heads = (await list(start, MOST)).filter(head => head.sequence < end);
  const missing = { bytes };
  const first = heads.findLast(head => {
    missing.bytes -= head.size;
    return missing.bytes <= 0;
  });
  return first?.sequence ?? back(list, from, start, missing.bytes);
}
