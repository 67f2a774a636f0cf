/**
 * Files of several documents: tasks that run one after the other (a pipeline) or at the same time (a group). A first
 * document that has nothing but what is said of all of them is their header.
 */
import { waitsOf } from "./after.ts";
import type { Dialect } from "./dialect.ts";
import { type Draft, empty } from "./draft.ts";
import { TaskFileError } from "./error.ts";
import { hold } from "./hold.ts";
import { homesOf } from "./keys.ts";
import { checkParallel, rolesOf } from "./parallel.ts";
import { begin, noteTwice, type Reading, refuse, similar, walk } from "./reading.ts";
import type { Options, Result } from "./result.ts";
import { taskOf } from "./task.ts";
import { nothingSaid, type Together, together } from "./together.ts";
import type { Document } from "./yaml/parse.ts";
import { isNull, type Mapping } from "./yaml/tree.ts";

type Several = Pick<Result, "name" | "execution" | "tasks" | "waits" | "roles" | "warnings" | "unsupported">;

/** One document's reading, and its number in the file, from 1. */
interface Part {
  readonly reading: Reading;
  readonly number: number;
}

/** Reads a file of several documents, all of which are maps. @throws TaskFileError that has everything that is wrong with it. */
export function several(dialect: Dialect, documents: readonly Document[], options: Options): Several {
  const [first] = documents;
  const head = first !== undefined && isHeader(first) ? header(dialect, first) : undefined;
  const bodies = head === undefined ? documents : documents.slice(1);
  refuseOverrides(documents, bodies.length, options);
  const read = bodies.map((document, index) => body(dialect, document, index + (head === undefined ? 1 : 2), options));
  const tasks = read.map(({ task }) => task);
  if (head !== undefined) checkHead(head, read);
  const execution = head?.said.execution ?? "serial";
  const waits = waitsOf(read, execution === "serial");
  const found = toldBy([...(head === undefined ? [] : [head]), ...read], options);
  const name = head?.said.name;
  const [task, ...more] = tasks;
  if (task !== undefined && more.length === 0) return { ...found, tasks: [named(task, name)] };
  const roles = head?.said.execution === "parallel" ? { roles: rolesOf(head.said, tasks) } : {};
  return { ...found, ...(name !== undefined && { name }), execution, tasks, waits, ...roles };
}

/** What is to be said of all of them. @throws TaskFileError that has everything that is wrong with them. */
function toldBy(parts: readonly Part[], { path }: Options): Pick<Several, "warnings" | "unsupported"> {
  const issues = parts.flatMap(({ reading, number }) => reading.issues.map(issue => inside(number, issue)));
  if (issues.length > 0) throw new TaskFileError(issues, path);
  return {
    warnings: parts.flatMap(({ reading, number }) => reading.warnings.map(text => `document ${number}: ${text}`)),
    unsupported: parts.flatMap(({ reading, number }) => reading.unsupported.map(one => inside(number, one))),
  };
}

function refuseOverrides(documents: readonly Document[], tasks: number, { overrides = [], path }: Options): void {
  const [first] = overrides;
  if (first === undefined) return;
  const message = `cannot be said of a file of ${documents.length} documents`;
  const later = "write it in the file, in the document that it is meant for";
  const suggestion = tasks > 1 ? later : "write it in the file";
  throw new TaskFileError([{ path: first.split("=", 1)[0] ?? "", message, suggestion }], path);
}

/** Said of all of them, and nothing of a task of its own. */
function isHeader({ root }: Document): boolean {
  if (root.kind !== "map") return false;
  const keys = [...root.entries].flatMap(([key, { value }]) => (isNull(value) ? [] : [key]));
  return keys.length > 0 && keys.every(key => Object.hasOwn(together, key));
}

function header(dialect: Dialect, document: Document): Head {
  const reading = begin(dialect, homesOf(dialect));
  const said = nothingSaid();
  noteTwice(reading, document.duplicates);
  walk(reading, document.root as Mapping, "", together, said);
  const { name } = said;
  if (name !== undefined) hold(reading, { ...empty("stop"), task: { ...empty("stop").task, name } });
  return { reading, number: 1, said };
}

function body(dialect: Dialect, document: Document, number: number, options: Options): Part & { readonly task: Draft } {
  const reading = begin(dialect, homesOf(dialect));
  noteTwice(reading, document.duplicates);
  const task = taskOf(reading, document.root as Mapping, options.envs ?? {});
  return {
    reading,
    number,
    task: { ...task, missing: task.missing.map(one => ({ ...one, at: inside(number, one.at) })) },
  };
}

type Head = Part & { readonly said: Together };

function checkHead({ reading, said }: Head, parts: readonly (Part & { readonly task: Draft })[]): void {
  const names = parts.flatMap(({ task }) => task.task.name ?? []);
  for (const { name, at } of said.primary)
    if (!names.includes(name)) refuse(reading, at, `no task of this file is called '${name}'`, similar(name, names));
  if (said.execution === "parallel") checkParallel(reading, said, parts);
}

const inside = <P extends { readonly path: string }>(number: number, place: P): P => ({
  ...place,
  path: place.path === "" ? `document ${number}` : `document ${number}: ${place.path}`,
});

const named = (draft: Draft, name: string | undefined): Draft =>
  name === undefined || draft.task.name !== undefined ? draft : { ...draft, task: { ...draft.task, name } };
