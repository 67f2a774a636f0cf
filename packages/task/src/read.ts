/**
 * A task file to what it says.
 *
 * Order of events: YAML to trees, the dialect from the trees, overrides over the tree, each tree to a draft by the
 * dialect's table of keys, and at last the bounds of the canonical task, which are core's.
 */
import { type After, type Wait, waitsOf } from "./after.ts";
import { type Dialect, detect, type Marker } from "./dialect.ts";
import { type Issue, TaskFileError } from "./error.ts";
import { homesOf } from "./keys.ts";
import { foreign } from "./not-a-task.ts";
import { override } from "./override.ts";
import { begin, noteTwice, type Reading, refuse } from "./reading.ts";
import type { Options, Result } from "./result.ts";
import { several } from "./several.ts";
import { taskOf } from "./task.ts";
import { type WholeFile, wholeFiles } from "./whole-file.ts";
import { type Document, parse } from "./yaml/parse.ts";
import { strayTags } from "./yaml/tags.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

export { type Dialect, dialects } from "./dialect.ts";
export type { Bucket, ClusterDraft, Draft, FileMount, Missing, TargetDraft } from "./draft.ts";
export { type Issue, sentence, TaskFileError } from "./error.ts";
export { fulfil, requireGiven } from "./needs.ts";
export { parseOverrides } from "./override.ts";
export type { Unsupported } from "./reading.ts";
export type { Execution, Options, Result } from "./result.ts";
export type { After, Wait };

/** Reads a task file. @throws TaskFileError that has everything that is wrong with it. */
export function read(source: string, options: Options = {}): Result {
  const asked = wholeFiles.find(kind => kind.dialect === options.dialect);
  const { documents } = (asked?.parse ?? parse)(source, options.path);
  const whole = wholeFile(documents, options);
  if (whole !== undefined) return readWhole(whole.kind, whole.because, documents, options);
  const [root, ...more] = rootsOf(documents, options);
  const { found, dialect } = dialectOf([root, ...more], source, options);
  if (more.length > 0 && dialect !== "oumi") return { ...found, ...several(dialect, documents, options) };
  const reading = begin(dialect, homesOf(dialect));
  if (more.length > 0)
    refuse(reading, { path: "---" }, `separates ${documents.length} documents, and an Oumi job is one`);
  for (const { duplicates } of documents) noteTwice(reading, duplicates);
  const task = taskOf(reading, overridden(reading, root, options), options.envs ?? {});
  waitsOf([{ reading, task }], false);
  return { ...found, tasks: [task], ...told(reading, options) };
}

/** The maps that the documents are. @throws TaskFileError when they are none, or nothing like a task. */
function rootsOf(documents: readonly Document[], options: Options): [Mapping, ...Mapping[]] {
  const roots = documents.map(({ root }, index) =>
    mapOf(root, documents.length > 1 ? `document ${index + 1}` : "", options),
  );
  const [first, ...more] = roots;
  if (first === undefined)
    return fail(options, [{ path: "", message: "there is nothing in it", suggestion: "a task has at least a `run`" }]);
  const strays = roots.flatMap(one => strayTags(one));
  if (strays.length > 0) fail(options, strays);
  const other = foreign(first, options.path);
  if (other !== undefined) fail(options, [other]);
  return [first, ...more];
}

function dialectOf(
  roots: readonly Mapping[],
  source: string,
  options: Options,
): { dialect: Dialect; found: Pick<Result, "dialect" | "because" | "unmarked"> } {
  const marker = options.dialect === undefined ? detect(roots, source) : undefined;
  const dialect = options.dialect ?? marker?.dialect ?? "muster";
  if (marker !== undefined && dialect !== "muster") return { dialect, found: { dialect, because: reason(marker) } };
  const unmarked = options.dialect === undefined && marker === undefined;
  return { dialect, found: { dialect, ...(unmarked && { unmarked: true as const }) } };
}

/** @throws TaskFileError when anything was found wrong. */
function told(reading: Reading, options: Options): Pick<Result, "warnings" | "unsupported"> {
  if (reading.issues.length > 0) fail(options, reading.issues);
  return { warnings: reading.warnings, unsupported: reading.unsupported };
}

function fail(options: Options, issues: readonly Issue[]): never {
  throw new TaskFileError(issues, options.path);
}

const reason = (marker: Marker): string => ("key" in marker ? marker.key : marker.what);

function wholeFile(
  documents: readonly Document[],
  { dialect }: Options,
): { kind: WholeFile; because: string | undefined } | undefined {
  const roots = documents.map(({ root }) => root);
  for (const kind of wholeFiles) {
    if (dialect !== undefined && dialect !== kind.dialect) continue;
    const because = dialect === undefined ? kind.found(roots) : undefined;
    if (dialect !== undefined || because !== undefined) return { kind, because };
  }
  return undefined;
}

function readWhole(
  { dialect, read }: WholeFile,
  because: string | undefined,
  documents: readonly Document[],
  options: Options,
): Result {
  const reading = begin(dialect, new Map());
  for (const { duplicates } of documents) noteTwice(reading, duplicates);
  const isMeant = ({ tag }: Node): boolean => documents.length === 1 || tag !== undefined;
  const roots = documents.map(({ root }) => (isMeant(root) ? overridden(reading, root, options) : root));
  const { tasks = [], clusters, targets } = read(roots, reading, options.envs ?? {});
  return {
    ...{ dialect, ...(because !== undefined && { because }) },
    tasks,
    ...(clusters !== undefined && { clusters }),
    ...(targets !== undefined && { targets }),
    ...told(reading, options),
  };
}

function mapOf(root: Node, path: string, options: Options): Mapping {
  if (root.kind === "map") return root;
  const what = root.kind === "list" ? "a list" : "text";
  const message = `must be a map of keys such as \`run:\`, and is ${what}`;
  return fail(options, [{ path, line: root.line ?? 1, message }]);
}

function overridden<N extends Node>(reading: Reading, root: N, options: Options): N {
  const isOumi = reading.dialect === "oumi";
  const spot = isOumi && options.oumiSpot !== undefined ? [`resources.use_spot=${options.oumiSpot}`] : [];
  const issues: Issue[] = [];
  const made = override(root, [...spot, ...(options.overrides ?? [])], isOumi, issues);
  // Of several clusters each may refuse the same.
  for (const { path, message, suggestion } of issues) refuse(reading, { path }, message, suggestion);
  return made.kind === root.kind ? (made as N) : root;
}
