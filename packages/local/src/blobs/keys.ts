/**
 * Where a blob's key stands in the file system.
 *
 * One folder per segment, one file per blob. A name is the segment with a mark behind it that says what it is, so that
 * the blobs `a` and `a/b` can both be there. Capitals and odd characters are escaped, so that it does not matter whether
 * the file system knows cases or Unicode's forms. A segment too long for one name is cut: the cut is always made
 * at the same place for the same beginning, so that a folder holds everything that begins like it.
 */
import { MusterError } from "@muster/core/error.ts";

export const MAX_KEY_BYTES = 1024;
/** No file system of ours takes names beyond 255 bytes; the character at the cut has up to 12, the mark one. */
const CUT = 228;

const marks = { file: "@", folder: "+", cut: "~" } as const;

/** @throws MusterError `invalid_request` */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > MAX_KEY_BYTES)
    throw new MusterError("invalid_request", `a blob's key has 1 to ${MAX_KEY_BYTES} bytes, this one has ${bytes}`);
  if (!key.isWellFormed() || /[\0\\]/.test(key))
    throw new MusterError("invalid_request", "a blob's key has no NUL, no backslash and no half characters");
  if (key.split("/").some(segment => segment === "" || segment === "." || segment === ".."))
    throw new MusterError("invalid_request", `a blob's key has no empty, "." or ".." segments: ${key}`);
}

/** The path of a checked key's file below the blobs' folder. */
export function fileOf(key: string): readonly string[] {
  const segments = key.split("/");
  const last = names(segments.pop() ?? "", marks.file);
  return [...segments.flatMap(segment => names(segment, marks.folder)), ...last];
}

/** The path of the folder that holds all keys that begin with the whole segments of this prefix, and that beginning. */
export function folderOf(prefix: string): { readonly path: readonly string[]; readonly start: string } {
  const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const segments = start.split("/").slice(0, -1);
  return { path: segments.flatMap(segment => names(segment, marks.folder)), start };
}

/** What a name in a folder stands for: a blob, or the beginning of keys. Undefined: not ours. */
export function read(name: string): { readonly text: string; readonly leaf: boolean } | undefined {
  const text = unescaped(name.slice(0, -1));
  if (name.endsWith(marks.file)) return { text, leaf: true };
  if (name.endsWith(marks.folder)) return { text: `${text}/`, leaf: false };
  return name.endsWith(marks.cut) ? { text, leaf: false } : undefined;
}

/** Keys are in order of their UTF-8 bytes, as S3 has them. */
export const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function names(segment: string, mark: string): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const char of segment) {
    piece += escaped(char);
    if (piece.length < CUT) continue;
    pieces.push(`${piece}${marks.cut}`);
    piece = "";
  }
  return [...pieces, `${piece}${mark}`];
}

function escaped(char: string): string {
  if (/[a-z0-9._-]/.test(char)) return char;
  if (/[A-Z]/.test(char)) return `=${char.toLowerCase()}`;
  return [...Buffer.from(char)].map(byte => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

const unescaped = (name: string): string =>
  name
    .replaceAll(/=([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/(?:%[0-9a-f]{2})+/g, bytes => Buffer.from(bytes.replaceAll("%", ""), "hex").toString());
