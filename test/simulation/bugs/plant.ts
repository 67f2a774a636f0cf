/** Plants a bug: changes the source of a module as it is loaded. Nothing on the disk changes, and no module is mocked. */
import { registerHooks } from "node:module";

/** A change to one file: this text, which must be there exactly once, becomes that one. */
export interface Change {
  /** The end of the file's path, such as `core/src/commit.ts`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export type Bug = readonly Change[];

/** @returns what throws when one of the files was not loaded: then nothing was planted. */
export function plant(bug: Bug): () => void {
  const planted = new Set<Change>();
  if (bug.length === 0) throw new Error("there is no such bug");
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const changes = bug.filter(change => url.endsWith(change.file));
      if (changes.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
      const text = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      for (const change of changes) planted.add(change);
      return { ...loaded, source: changes.reduce(replaced, text) };
    },
  });
  return () => {
    const missing = bug.filter(change => !planted.has(change)).map(change => change.file);
    if (missing.length > 0) throw new Error(`nothing was planted in ${missing.join(", ")}: not loaded`);
  };
}

function replaced(source: string, { file, from, to }: Change): string {
  const parts = source.split(from);
  if (parts.length === 2) return parts.join(to);
  throw new Error(`${file} has this ${parts.length - 1} times, not once; write the bug anew:\n${from}`);
}
