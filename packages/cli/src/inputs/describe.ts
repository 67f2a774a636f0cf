/** What a run of entries holds, as one hash: two runs with the same hash are the same archive. */
import { createHash } from "node:crypto";
import type { Entry, FileEntry } from "./list.ts";
import { encode } from "./names.ts";
import { FORMAT } from "./pack.ts";

/** @param contentOf SHA-256 of a file. @returns undefined when that of some file is not known. */
export function describe(
  run: readonly Entry[],
  contentOf: (entry: FileEntry) => string | undefined,
): string | undefined {
  const hash = createHash("sha256").update(FORMAT);
  for (const entry of run) {
    const content = entry.kind === "file" ? contentOf(entry) : "";
    if (content === undefined) return undefined;
    hash.update(line(entry, content));
  }
  return hash.digest("hex");
}

/** Four fields, each ended by NUL, which neither paths nor links can hold. */
function line(entry: Entry, content: string): string | Buffer {
  const mode = entry.kind === "link" ? "" : entry.mode.toString(8);
  const rest = entry.kind === "link" ? entry.target : content;
  const text = `${entry.kind}\0${mode}\0${entry.path}\0${rest}\0`;
  return text.isWellFormed() ? text : encode(text);
}
