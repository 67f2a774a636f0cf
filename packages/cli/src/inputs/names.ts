/**
 * Names of files as text. Unix names are bytes; those that are not UTF-8 are kept as Python does (PEP 383): each byte that
 * cannot be read becomes a lone surrogate, U+DC80 to U+DCFF, and so can be written again.
 */
import { Buffer, isUtf8 } from "node:buffer";

const LOWEST = 0xdc00;

export function decode(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find(size => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)));
    parts.push(
      length === undefined ? String.fromCharCode(LOWEST + (bytes[at] ?? 0)) : bytes.toString("utf8", at, at + length),
    );
    at += length ?? 1;
  }
  return parts.join("");
}

export function encode(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, "utf8");
  return Buffer.concat(
    Array.from(name, sign =>
      sign.isWellFormed() ? Buffer.from(sign, "utf8") : Buffer.of(sign.charCodeAt(0) - LOWEST),
    ),
  );
}

/** A path as the file system's calls take it. */
export const onDisk = (path: string): string | Buffer => (path.isWellFormed() ? path : encode(path));

/** A path as people can read it. */
export const shown = (path: string): string => path.toWellFormed();
