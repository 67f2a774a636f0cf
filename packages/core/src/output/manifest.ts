/**
 * What was kept of a folder, file by file: numbered parts in JSON lines, and an end that is written last. Without its end
 * nobody knows whether the rest is still to come.
 *
 * Hosts write them, and a host is its job's: nothing in them is believed but what lies under the host's own prefix.
 */
import * as z from "zod";
import type { Blobs } from "../ports/blobs.ts";

/** What lies under a prefix in the place of `pieces`, part after part. */
const Piece = z.object({
  /** Relative to the folder's own place. */
  key: z.string().min(1).max(900),
  size: z.number().int().min(0),
});

export const Entry = z.object({
  /** With slashes, and relative. Of a name that is no UTF-8, what can be shown of it. */
  path: z.string().min(1).max(8192),
  /** Of such a name, its bytes, as base64. */
  pathBytes: z.base64().max(12_000).optional(),
  size: z.number().int().min(0),
  /** Permission bits. */
  mode: z.number().int().min(0).max(0o7777),
  /** Of its last change, epoch ms. */
  mtime: z.number(),
  /** When its bytes were sent, epoch ms: what is old is sent again before the store forgets it. */
  sentAt: z.number().optional(),
  /** Of all its bytes, as hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of a symbolic link, where it leads: a relative path that stays within the folder. It has no bytes. */
  link: z.string().min(1).max(4096).optional(),
  /** Its bytes are those of these blobs, one after the other. */
  pieces: z.array(Piece).max(10_000),
});
export type Entry = z.infer<typeof Entry>;

export const Kept = z.object({
  files: z.number().int().min(0),
  bytes: z.number().min(0),
  /** Files that could not be kept. */
  failed: z.number().int().min(0),
});
export type Kept = z.infer<typeof Kept>;

/** How much several have kept together; undefined where none has anything to say. */
export function sum(all: readonly (Kept | undefined)[]): Kept | undefined {
  const said = all.filter(one => one !== undefined);
  if (said.length === 0) return undefined;
  const total = (of: (one: Kept) => number): number => said.reduce((count, one) => count + of(one), 0);
  return { files: total(one => one.files), bytes: total(one => one.bytes), failed: total(one => one.failed) };
}

export const End = Kept.extend({
  /** How many parts stand before it. */
  parts: z.number().int().min(0).max(100_000),
});
export type End = z.infer<typeof End>;

/** Both below the place of a manifest. */
export const partKey = (list: string, part: number): string => `${list}${String(part).padStart(6, "0")}`;
export const endKey = (list: string): string => `${list}end`;

/** Undefined where there is none, or none that can be read. */
export async function readEnd(blobs: Blobs, list: string): Promise<End | undefined> {
  const bytes = await blobs.get(endKey(list));
  return bytes && End.safeParse(json(bytes)).data;
}

/**
 * The files of one part; undefined where there is no such part. What is no entry, or would lead out of `root`, is left out.
 * @param root what the keys of its pieces are relative to
 */
export async function readPart(blobs: Blobs, list: string, part: number, root: string): Promise<Entry[] | undefined> {
  const bytes = await blobs.get(partKey(list, part));
  if (bytes === undefined) return undefined;
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.flatMap(line => {
    const entry = line === "" ? undefined : Entry.safeParse(json(line)).data;
    if (entry === undefined || !entry.pieces.every(({ key }) => isSafe(key))) return [];
    return { ...entry, pieces: entry.pieces.map(({ key, size }) => ({ key: `${root}${key}`, size })) };
  });
}

/** A key that stays below what it is relative to, and that every store takes. */
const isSafe = (key: string): boolean => key.split("/").every(part => /^[\w.=-]+$/.test(part) && !/^\.\.?$/.test(part));

function json(said: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof said === "string" ? said : new TextDecoder().decode(said));
  } catch {
    return undefined;
  }
}
