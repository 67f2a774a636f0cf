/**
 * A task file to what it says.
 *
 * Order of events: YAML to a tree, the dialect from the tree, overrides over the tree, the tree to a draft by the
 * dialect's table of keys, and at last the bounds of the canonical task, which are core's.
 */
import { Groups, tooWide } from "@muster/core/cluster/group.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import { Task } from "@muster/core/task/task.ts";
import type * as z from "zod";
import { type Dialect, detect, type Marker, onErrorOf } from "./dialect.ts";
import { type ClusterDraft, type Draft, empty, type TargetDraft } from "./draft.ts";
import { addGiven } from "./envs.ts";
import { type Issue, TaskFileError } from "./error.ts";
import { homesOf, keysOf, required } from "./keys.ts";
import { override } from "./override.ts";
import { begin, defer, type Reading, refuse, type Unsupported, walk } from "./reading.ts";
import { type Parsed, parse } from "./yaml/parse.ts";
import type { Mapping } from "./yaml/tree.ts";

export { type Dialect, dialects } from "./dialect.ts";
export type { Draft, FileMount } from "./draft.ts";
export { type Issue, sentence, TaskFileError } from "./error.ts";
export { parseOverrides } from "./override.ts";
export type { Unsupported } from "./reading.ts";

export interface Options {
  /** Instead of the dialect that the file's markers tell. */
  readonly dialect?: Dialect;
  /** `resources.cloud=local`; they stand over the file. */
  readonly overrides?: readonly string[];
  /** `-e NAME=value`. */
  readonly envs?: Readonly<Record<string, string>>;
  /** Name of the file, for messages. */
  readonly path?: string;
}

/** What a task file says, and what is to be said about it. */
export interface Result {
  readonly dialect: Dialect;
  /** Why it was taken for that dialect, in words; absent for Muster's own form. */
  readonly because?: string;
  /** One, or the steps of a pipeline in their order, or the jobs of a group; none in a file that only has clusters or targets. */
  readonly tasks: readonly Draft[];
  readonly clusters?: readonly ClusterDraft[];
  readonly targets?: readonly TargetDraft[];
  readonly warnings: readonly string[];
  /** What the file asks for and Muster cannot do yet: do not launch it. */
  readonly unsupported: readonly Unsupported[];
}

/** Stands in for uploads that are not there yet, when the draft is held against core's schema. */
const NO_UPLOAD = "0".repeat(64);

/** Reads a task file; throws a TaskFileError that has everything that is wrong with it. */
export function read(source: string, options: Options = {}): Result {
  const file = parse(source, options.path);
  const marker = options.dialect === undefined ? detect(file.documents) : undefined;
  const dialect = options.dialect ?? marker?.dialect ?? "muster";
  const reading = begin(dialect, homesOf(dialect));
  const root = rootOf(file, reading, options);
  refuseConfig(root, options.path);
  const draft = empty(onErrorOf(dialect));
  const given = options.envs ?? {};
  addGiven(reading, given, root, draft);
  walk(reading, root, "", keysOf(dialect, given), draft);
  required(reading, draft);
  hold(reading, draft);
  if (reading.issues.length > 0) throw new TaskFileError(reading.issues, options.path);
  const { warnings, unsupported } = reading;
  return { dialect, ...(marker !== undefined && { because: reason(marker) }), tasks: [draft], warnings, unsupported };
}

const reason = (marker: Marker): string => ("key" in marker ? marker.key : marker.what);

/** The map that the file is, with the overrides over it. */
function rootOf(file: Parsed, reading: Reading, options: Options): Mapping {
  const [first, ...more] = file.documents;
  const fail = (issue: Issue): never => {
    throw new TaskFileError([issue], options.path);
  };
  if (first === undefined)
    return fail({ path: "", message: "there is nothing in it", suggestion: "a task has at least a `run`" });
  if (first.kind !== "map") {
    const what = first.kind === "list" ? "a list" : "text";
    return fail({ path: "", line: first.line ?? 1, message: `must be a map of keys such as \`run:\`, and is ${what}` });
  }
  twice(reading, file);
  if (more.length > 0) several(reading, more.length + 1);
  const root = override(first, options.overrides ?? [], reading.dialect === "oumi", reading.issues);
  return root.kind === "map" ? root : first;
}

/** Oumi's own configs lie beside its jobs, and are not jobs. @throws TaskFileError that says so. */
function refuseConfig(root: Mapping, path: string | undefined): void {
  const { entries } = root;
  if (entries.has("run") || entries.has("resources")) return;
  const isMap = (key: string): boolean => entries.get(key)?.value.kind === "map";
  if (!isMap("model") && !isMap("training")) return;
  const message = "this is a training config, not a job file";
  const suggestion = `write a job whose run calls \`oumi train -c ${path ?? "…"}\``;
  throw new TaskFileError([{ path: "", message, suggestion }], path);
}

function twice(reading: Reading, file: Parsed): void {
  for (const { path, line, first } of file.duplicates) {
    const message = `is there twice: on line ${first}, and again here`;
    if (reading.dialect !== "skypilot") refuse(reading, { path, line }, message);
    else reading.warnings.push(`${path} (line ${line}): ${message}; the last one counts`);
  }
}

function several(reading: Reading, count: number): void {
  const at = { path: "---" };
  if (reading.dialect === "oumi") refuse(reading, at, `separates ${count} documents, and an Oumi job is one`);
  else defer(reading, at, `pipelines and groups of jobs: the file has ${count} documents`);
}

/** Core's bounds, told in the file's own words. */
function hold(reading: Reading, draft: Draft): void {
  const mounts = draft.fileMounts.map(({ path }) => ({ path, upload: NO_UPLOAD, kind: "file" }));
  for (const issue of Task.safeParse({ ...draft.task, mounts }).error?.issues ?? []) {
    const field = issue.path.map(String);
    refuse(reading, origin(reading, field), messageOf(issue), remedy(draft, field));
  }
  for (const issue of Idle.optional().safeParse(draft.idle).error?.issues ?? []) {
    refuse(reading, origin(reading, ["idle"]), `is no policy that a cluster can have: ${messageOf(issue)}`);
  }
  holdGroups(reading, draft);
}

function holdGroups(reading: Reading, { task, groups }: Draft): void {
  if (groups === undefined) return;
  if (Object.keys(task.resources).length > 0)
    refuse(reading, origin(reading, ["resources"]), "cannot stand beside groups: each of them says its own");
  if (reading.issues.some(({ path }) => path.startsWith("groups"))) return;
  const { error } = Groups.safeParse(groups);
  for (const issue of error?.issues ?? [])
    refuse(reading, origin(reading, ["groups", ...issue.path.map(String)]), messageOf(issue));
  const wide = tooWide(groups, task.nodes);
  if (error === undefined && wide !== undefined) refuse(reading, origin(reading, ["nodes"]), wide);
}

function origin(reading: Reading, field: readonly string[]): { path: string; line?: number | undefined } {
  for (let length = field.length; length > 0; length--) {
    const found = reading.origins.get(field.slice(0, length).join("."));
    if (found !== undefined) return found;
  }
  return { path: field[0] === "mounts" ? "file_mounts" : field.join(".") };
}

function messageOf(issue: z.core.$ZodIssue): string {
  const unit = "origin" in issue && issue.origin === "string" ? " characters" : "";
  if (issue.code === "too_big") return `must be ${issue.maximum}${unit} at most`;
  if (issue.code === "too_small")
    return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unit}`;
  // The reason for which a record's key does not fit is one level down, and so is that of a union.
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  const inner = issue.code === "invalid_union" ? issue.errors.flat().at(-1) : undefined;
  return inner === undefined ? issue.message : messageOf(inner);
}

function remedy(draft: Draft, field: readonly string[]): string | undefined {
  if (field[0] !== "name") return undefined;
  const fit = (draft.task.name ?? "")
    .replaceAll(/[^a-z0-9._-]+/gi, "-")
    .slice(0, 63)
    .replaceAll(/^[._-]+|[._-]+$/g, "");
  return fit === "" ? undefined : `write ${fit}`;
}
