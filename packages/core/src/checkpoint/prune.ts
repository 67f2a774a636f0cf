/** Removing what no generation needs any more. The newest two stay: the last is read while the next is written. */
import * as Keys from "../keys.ts";
import { readEnd, readPart } from "../output/manifest.ts";
import type { Blobs } from "../ports/blobs.ts";
import { compare, type Generation, generationOf, listOf, newest, prefixOfFiles, prefixOfTry } from "./checkpoint.ts";

const KEPT = 2;
/** At most so much at once: the rest goes with the next generation. */
const MOST_PAGES = 20;
const MOST_REMOVED = 500;
const AT_ONCE = 16;

/** @returns how many blobs went. */
export async function prune(blobs: Blobs, root: string): Promise<number> {
  const kept = await newest(blobs, root, KEPT);
  const [last] = kept;
  if (last === undefined || kept.length < KEPT) return 0;
  const read = await Promise.all(kept.map(one => keysOf(blobs, root, one)));
  if (read.some(keys => keys === undefined)) return 0;
  const needed = new Set(read.flatMap(keys => keys ?? []));
  const isKept = (one: Generation): boolean => kept.some(other => compare(one, other) === 0);
  const dead = await find(blobs, root, last, key => {
    const from = generationOf(root, key);
    // What is newer than the newest is on its way.
    if (from === undefined || compare(from, last) >= 0) return false;
    return from.kind === "list" ? !isKept(from) : !needed.has(key);
  });
  for (let at = 0; at < dead.length; at += AT_ONCE)
    await Promise.all(dead.slice(at, at + AT_ONCE).map(key => blobs.remove(key)));
  return dead.length;
}

/** Undefined when its manifest is not whole: nobody knows what it needs. */
async function keysOf(blobs: Blobs, root: string, generation: Generation): Promise<string[] | undefined> {
  const list = listOf(root, generation);
  const end = await readEnd(blobs, list);
  if (end === undefined) return undefined;
  const keys: string[] = [];
  const parts = Array.from({ length: end.parts }, (_, part) => part);
  // A host waits for the answer meanwhile: some at a time.
  for (let at = 0; at < parts.length; at += AT_ONCE) {
    const read = await Promise.all(parts.slice(at, at + AT_ONCE).map(part => readPart(blobs, list, part, root)));
    if (read.some(entries => entries === undefined)) return undefined;
    for (const { pieces } of read.flatMap(entries => entries ?? [])) keys.push(...pieces.map(({ key }) => key));
  }
  return keys;
}

/** Generations before the last of which much is dead by now. */
const LATELY = 20;

/** Where another look begins: from one of the tries, from the last few generations, or from any of this try. They take turns. */
function startOf(root: string, { fence, number }: Generation): string {
  const any = Keys.spread(`${fence} ${number}`);
  const from = (of: number) => prefixOfFiles(root, { fence, number: of });
  const turn = number % 3;
  if (turn === 0) return prefixOfTry(root, any % (fence + 1));
  return from(turn === 1 ? any % (number + 1) : Math.max(0, number - LATELY));
}

type IsDead = (key: string) => boolean;

/** What is needed may be so much that a look from the beginning never comes behind it: then there is another one. */
async function find(blobs: Blobs, root: string, last: Generation, isDead: IsDead): Promise<string[]> {
  const dead = new Set<string>();
  if (!(await look(blobs, root, undefined, isDead, dead))) await look(blobs, root, startOf(root, last), isDead, dead);
  return [...dead].slice(0, MOST_REMOVED);
}

/** @returns whether it came to the end, or has found enough. */
async function look(
  blobs: Blobs,
  root: string,
  start: string | undefined,
  isDead: IsDead,
  dead: Set<string>,
): Promise<boolean> {
  let after = start;
  for (let page = 0; page < MOST_PAGES && dead.size < MOST_REMOVED; page++) {
    const heads = await blobs.list(root, after === undefined ? {} : { after });
    for (const { key } of heads) if (isDead(key)) dead.add(key);
    after = heads.at(-1)?.key;
    if (after === undefined) return true;
  }
  return dead.size >= MOST_REMOVED;
}
