/**
 * Checkpoints: a folder that outlives a job's tries. Each state of it that was sent home whole is a generation, numbered
 * within its try. Files that did not change are not sent again: a generation's manifest names those of others.
 */
import * as z from "zod";
import { endKey } from "../output/manifest.ts";
import type { Blobs } from "../ports/blobs.ts";

/** Which state of the folder. Those of later tries are newer, whatever their numbers. */
export const Generation = z.object({ fence: z.number().int().min(0), number: z.number().int().min(0) });
export type Generation = z.infer<typeof Generation>;

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** Where all that one rank of a job has sent lies; keys in manifests are relative to this. */
export const rootOf = (workspace: string, jobId: string, rank: number): string =>
  `checkpoints/${workspace}/${jobId}/${pad(rank, 5)}/`;
/** Where one try may write: what an older one still sends cannot spoil what a newer one has. */
export const prefixOf = (workspace: string, jobId: string, fence: number, rank: number): string =>
  prefixOfTry(rootOf(workspace, jobId, rank), fence);
export const prefixOfTry = (root: string, fence: number): string => `${root}${pad(fence, 8)}/`;
/** Where the files are that a generation was the first to send. */
export const prefixOfFiles = (root: string, { fence, number }: Generation): string =>
  `${prefixOfTry(root, fence)}files/${pad(number, 8)}/`;
/** Where a generation's manifest lies. */
export const listOf = (root: string, { fence, number }: Generation): string =>
  `${root}${pad(fence, 8)}/list/${pad(number, 8)}/`;

/** The generation that a key belongs to; undefined for a key of another form. */
export function generationOf(
  root: string,
  key: string,
): (Generation & { readonly kind: "list" | "files" }) | undefined {
  const match = /^(\d{8})\/(list|files)\/(\d{8})\/./.exec(key.slice(root.length));
  if (match === null) return undefined;
  return { fence: Number(match[1]), number: Number(match[3]), kind: match[2] === "list" ? "list" : "files" };
}

/** Which of two is newer: positive when it is the first. */
export const compare = (a: Generation, b: Generation): number => a.fence - b.fence || a.number - b.number;

/** More manifests than this in one try are not looked through: old ones are removed all the time. */
const MOST_PAGES = 20;
const PAGE = 1000;

/** The newest generations of a rank that are whole, newest first. @param before only those of tries before this fence */
export async function newest(blobs: Blobs, root: string, count: number, before = Infinity): Promise<Generation[]> {
  const found: Generation[] = [];
  const fences = (await fencesOf(blobs, root)).filter(fence => fence < before);
  for (const fence of fences.toReversed()) {
    found.push(...(await wholeOf(blobs, root, fence)).toReversed());
    if (found.length >= count) break;
  }
  return found.slice(0, count);
}

/** The tries that have sent anything, in order; each costs one request. */
async function fencesOf(blobs: Blobs, root: string): Promise<number[]> {
  const fences: number[] = [];
  for (let after = ""; ; ) {
    const [head] = await blobs.list(root, { limit: 1, ...(after !== "" && { after }) });
    if (head === undefined) return fences;
    const fence = Number(head.key.slice(root.length, root.length + 8));
    if (!Number.isInteger(fence)) return fences;
    fences.push(fence);
    // `~` comes after whatever a try writes.
    after = `${root}${pad(fence, 8)}/~`;
  }
}

async function wholeOf(blobs: Blobs, root: string, fence: number): Promise<Generation[]> {
  const prefix = `${root}${pad(fence, 8)}/list/`;
  const whole: Generation[] = [];
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const heads = await blobs.list(prefix, { limit: PAGE, ...(after !== undefined && { after }) });
    for (const { key } of heads) {
      const generation = generationOf(root, key);
      if (generation === undefined || key !== endKey(listOf(root, generation))) continue;
      whole.push({ fence, number: generation.number });
    }
    after = heads.at(-1)?.key;
    if (heads.length < PAGE) break;
  }
  return whole;
}
