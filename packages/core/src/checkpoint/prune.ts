/** Removing what no generation needs any more. The newest two stay: the last is read while the next is written. */
import { readEnd, readPart } from "../output/manifest.ts";
import type { Blobs } from "../ports/blobs.ts";
import { compare, type Generation, generationOf, listOf, newest } from "./checkpoint.ts";

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
  const needed = new Set((await Promise.all(kept.map(one => keysOf(blobs, root, one)))).flat());
  const isKept = (one: Generation): boolean => kept.some(other => compare(one, other) === 0);
  const dead = await find(blobs, root, key => {
    const from = generationOf(root, key);
    // What is newer than the newest is on its way.
    if (from === undefined || compare(from, last) >= 0) return false;
    return from.kind === "list" ? !isKept(from) : !needed.has(key);
  });
  for (let at = 0; at < dead.length; at += AT_ONCE)
    await Promise.all(dead.slice(at, at + AT_ONCE).map(key => blobs.remove(key)));
  return dead.length;
}

async function keysOf(blobs: Blobs, root: string, generation: Generation): Promise<string[]> {
  const list = listOf(root, generation);
  const end = await readEnd(blobs, list);
  const keys: string[] = [];
  for (let part = 0; part < (end?.parts ?? 0); part++) {
    const entries = await readPart(blobs, list, part, root);
    for (const { pieces } of entries ?? []) keys.push(...pieces.map(({ key }) => key));
  }
  return keys;
}

async function find(blobs: Blobs, root: string, isDead: (key: string) => boolean): Promise<string[]> {
  const dead: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES && dead.length < MOST_REMOVED; page++) {
    const heads = await blobs.list(root, after === undefined ? {} : { after });
    dead.push(...heads.flatMap(({ key }) => (isDead(key) ? key : [])));
    after = heads.at(-1)?.key;
    if (after === undefined) break;
  }
  return dead.slice(0, MOST_REMOVED);
}
