/**
 * Names of files are bytes, in whatever encoding. Here they are held as strings of one character a byte ("raw"), so that
 * every name can be handled as a string, sorted, and given back as it was.
 */
import { createHash } from "node:crypto";

/** A path of one character a byte. */
export type Raw = string;

export const rawOf = (path: string): Raw => Buffer.from(path).toString("latin1");
/** For the file system. */
export const bytesOf = (path: Raw): Buffer => Buffer.from(path, "latin1");

/** A path for people and JSON; beside it its bytes, as base64, where it is no UTF-8. */
export function spelled(path: Raw): { readonly path: string; readonly pathBytes?: string } {
  const bytes = bytesOf(path);
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? { path: text } : { path: text, pathBytes: bytes.toString("base64") };
}

/** What `spelled` was given. */
export const unspelled = ({
  path,
  pathBytes,
}: {
  readonly path: string;
  readonly pathBytes?: string | undefined;
}): Raw => (pathBytes === undefined ? rawOf(path) : Buffer.from(pathBytes, "base64").toString("latin1"));

/** Stores take keys of 1,024 bytes, of which some are taken by what stands before them. */
const LONGEST_KEY = 700;

/** A key for this path that any store takes; no two paths have the same. The path itself stands in the manifest. */
export function keyOf(path: Raw): string {
  const key = path.split("/").map(encoded).join("/");
  // What comes behind a "=" is otherwise two digits.
  return key.length <= LONGEST_KEY ? key : `=long/${createHash("sha256").update(bytesOf(path)).digest("hex")}`;
}

function encoded(name: Raw): string {
  if (name === "." || name === "..") return name.replaceAll(".", "=2E");
  return name.replaceAll(/[^\w.-]/g, byte => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
