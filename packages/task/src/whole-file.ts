/**
 * Dialects whose files are more than a task: clusters, targets, or a set-up of both. Each finds its own files by their
 * content and reads them as a whole; what none of them finds is one task, or several.
 */
import type { Dialect } from "./dialect.ts";
import type { ClusterDraft, Draft, TargetDraft } from "./draft.ts";
import { flambe } from "./flambe/read.ts";
import type { Reading } from "./reading.ts";
import type { Given } from "./result.ts";
import { runhouse } from "./runhouse/read.ts";
import { xt } from "./xt/read.ts";
import type { Parsed } from "./yaml/parse.ts";
import type { Node } from "./yaml/tree.ts";

/** What such a file holds. */
export interface Contents {
  readonly tasks?: readonly Draft[];
  readonly clusters?: readonly ClusterDraft[];
  readonly targets?: readonly TargetDraft[];
}

export interface WholeFile {
  readonly dialect: Dialect;
  /** In place of YAML's parser, where the dialect was asked for by name. */
  readonly parse?: (source: string, file?: string) => Parsed;
  /** Why the file is one of these, in words; undefined when it is none. Looks at the file alone, never at overrides. */
  readonly found: (documents: readonly Node[]) => string | undefined;
  /** Reads the documents, with the overrides over each that has a tag, or is alone. What is wrong goes to `reading.issues`. */
  readonly read: (documents: readonly Node[], reading: Reading, given: Given) => Contents;
}

/** In the order in which they are asked. */
export const wholeFiles: readonly WholeFile[] = [flambe, xt, runhouse];
