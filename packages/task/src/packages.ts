/**
 * What is installed before setup: `pip:torch==2.4`, `conda:numpy`, `reqs:./`, `local:./lib`, a path (its requirements), a name
 * (pip), each with options of the installer behind a space; or a map of method, source, args and revision.
 */
import type { Package } from "@muster/core/task/inputs.ts";
import { itemsOf, word } from "./check.ts";
import type { Draft } from "./draft.ts";
import { isUrl } from "./paths.ts";
import {
  claim,
  type Field,
  inside,
  type Keys,
  mistyped,
  type Place,
  type Reading,
  refuse,
  similar,
  text,
  walk,
} from "./reading.ts";
import type { Mapping } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;
type Method = Package["method"];

const METHODS = ["pip", "conda", "reqs", "local"] as const satisfies readonly Method[];
const METHOD = /^([A-Za-z_-]+):(?!\/\/)(.*)$/s;
const PATH = /^(?:\.{1,2}(?:\/|$)|~(?:\/|$)|\/)|\//;
/** A repository, and what is to be checked out of it. */
const REPOSITORY = /^(?:git\+)?((?:https?:\/\/github\.com\/[^@\s]+|(?:https?|ssh):\/\/\S+?\.git))(?:@([^@\s]+))?$/i;
const WORD = /[^\s"']+|"([^"]*)"|'([^']*)'/g;

/** `packages`: a list of texts and maps. */
export const packages: ReadField = (reading, value, at, out) => {
  if (value.kind !== "list") return mistyped(reading, value, at, "a list such as [pip:torch==2.4, reqs:./]");
  if (!claim(reading, "packages", at)) return;
  for (const [item, place] of itemsOf(value.items, at)) {
    const read =
      item.kind === "map" ? detailed(reading, item, place) : plain(reading, text(reading, item, place), place);
    if (read === undefined) continue;
    reading.origins.set(`packages.${out.task.packages.length}`, place);
    out.task.packages.push(read);
  }
};

const plain = (reading: Reading, spec: string | undefined, at: Place): Package | undefined =>
  spec === undefined ? undefined : parse(reading, spec, at);

/** Reads one package as text; undefined when it is none, which is noted. */
export function parse(reading: Reading, spec: string, at: Place): Package | undefined {
  const [target = "", ...args] = wordsOf(spec);
  const [, prefix, rest] = METHOD.exec(target) ?? [undefined, undefined, target];
  const method = prefix === undefined ? undefined : methodOf(reading, prefix, at);
  if (prefix !== undefined && method === undefined) return undefined;
  return made(reading, { method, source: rest ?? "", args }, at);
}

function methodOf(reading: Reading, name: string, at: Place): Method | undefined {
  const known = METHODS.find(method => method === name.toLowerCase());
  if (known !== undefined) return known;
  if (name.toLowerCase() === "rh")
    return refuse(
      reading,
      at,
      "names a package of Runhouse's own store, which Muster does not read",
      "write where it comes from, such as pip:name or local:./folder",
    );
  return refuse(reading, at, `has no method '${name}': there are ${METHODS.join(", ")}`, similar(name, METHODS));
}

/** As a shell would split it, quotes and nothing else. */
const wordsOf = (text: string): string[] =>
  [...text.matchAll(WORD)].map(([whole, double, single]) => double ?? single ?? whole);

interface Parts {
  method?: Method | undefined;
  source?: string;
  args?: string[];
  revision?: string | undefined;
}

function made(reading: Reading, { method, source = "", args = [], revision }: Parts, at: Place): Package | undefined {
  if (source === "") return refuse(reading, at, "names nothing to install", "such as pip:torch==2.4");
  if (source.startsWith("-")) return refuse(reading, at, "begins with an option: options stand behind the package");
  const [, repository, ref] = REPOSITORY.exec(source) ?? [];
  const wanted = revision ?? ref;
  if (repository !== undefined) return cloned(reading, { method, source: repository, args, revision: wanted }, at);
  if (wanted !== undefined) return refuse(reading, at, "has a revision, and is no git repository");
  return { method: method ?? (PATH.test(source) && !isUrl(source) ? "reqs" : "pip"), source, args };
}

function cloned(reading: Reading, { method = "pip", source, args, revision }: Cloned, at: Place): Package | undefined {
  if (method === "conda")
    return refuse(reading, at, "is a git repository, which conda does not install", "write pip: in place of conda:");
  return { method, source, args, ...(revision !== undefined && { revision }) };
}

type Cloned = Parts & Pick<Package, "source" | "args">;

const keys: Keys<Parts> = {
  method: (reading, value, at, out) => {
    const read = word(reading, value, at, METHODS);
    if (read !== undefined) out.method = read;
  },
  source: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined) out.source = read.trim();
  },
  args: (reading, value, at, out) => {
    const items = value.kind === "list" ? itemsOf(value.items, at) : [];
    if (value.kind === "list") out.args = items.flatMap(([item, place]) => text(reading, item, place) ?? []);
    else out.args = wordsOf(text(reading, value, at) ?? "");
  },
  revision: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined) out.revision = read.trim();
  },
};

function detailed(reading: Reading, map: Mapping, at: Place): Package | undefined {
  const parts: Parts = {};
  const before = reading.issues.length;
  walk(inside(reading), map, at.path, keys, parts);
  return reading.issues.length > before ? undefined : made(reading, parts, at);
}
