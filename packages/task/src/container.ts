/** The container in which setup and run take place: Muster's own key, and what SkyPilot's say of it. */
import { containerOf } from "@muster/core/task/container.ts";
import { itemsOf } from "./check.ts";
import type { Draft } from "./draft.ts";
import {
  claim,
  defer,
  type Field,
  inside,
  type Keys,
  mistyped,
  type Place,
  type Reading,
  refuse,
  text,
  walk,
} from "./reading.ts";
import { isNull, type Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

interface Parts {
  image?: string;
  options?: string[];
}

const keys: Keys<Parts> = {
  image: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined && claim(reading, "container.image", at)) out.image = plain(read);
  },
  options: (reading, value, at, out) => {
    reading.origins.set("container.options", at);
    out.options = wordsOf(reading, value, at);
  },
};

const plain = (image: string): string => containerOf(image.trim()) ?? image.trim();

/** `container: IMAGE`, or a map of image and options. */
export const container: ReadField = (reading, value, at, out) => {
  const parts: Parts = {};
  if (value.kind === "map") walk(inside(reading), value, at.path, keys, parts);
  else {
    const read = text(reading, value, at);
    if (read === undefined) return;
    parts.image = plain(read);
  }
  if (value.kind === "map" && !value.entries.has("image")) return refuse(reading, at, "names no image", "add `image:`");
  const { image, options = [] } = parts;
  if (image !== undefined && takes(reading, image, at, out)) out.task.container = { image, options };
};

/** An image that stands where a machine's might. What is said of one container by several keys is said once. */
export function imageOfContainer(reading: Reading, image: string, at: Place, out: Draft): undefined {
  if (takes(reading, plain(image), at, out)) out.task.container = { image: plain(image), options: [] };
}

function takes(reading: Reading, image: string, at: Place, out: Draft): boolean {
  const known = out.task.container;
  if (known === undefined) return claim(reading, "container", at);
  const other = reading.origins.get("container");
  if (known.image !== image)
    refuse(reading, at, `is another container's image than that of ${other?.path ?? "container"}: a job has one`);
  return false;
}

/** SkyPilot's `config.docker`: options of `docker run`. */
export const dockerConfig = (reading: Reading, value: Node, at: Place, out: Draft): void => {
  const options = value.kind === "map" ? value.entries.get("run_options") : undefined;
  if (options === undefined || isNull(options.value)) return;
  const place = { path: `${at.path}.run_options`, line: options.line };
  const words = wordsOf(reading, options.value, place);
  const { container: known } = out.task;
  if (known === undefined) {
    reading.warnings.push(`${place.path}: matters to containers only, and the task names no image of one`);
    return;
  }
  reading.origins.set("container.options", place);
  out.task.container = { ...known, options: [...known.options, ...withoutGpus(reading, words, place)] };
};

/** Other launchers need to be told of them. */
function withoutGpus(reading: Reading, words: readonly string[], { path }: Place): string[] {
  const kept = words.filter((word, at) => !/^--gpus(=|$)/.test(word) && words[at - 1] !== "--gpus");
  if (kept.length < words.length) reading.warnings.push(`${path}: --gpus is left out: a job sees its own GPUs`);
  return kept;
}

/** A text is cut into words as a shell does it, and so is each of a list. */
function wordsOf(reading: Reading, value: Node, at: Place): string[] {
  if (value.kind === "map") return mistyped(reading, value, at, "a list of options") ?? [];
  const items: readonly (readonly [Node, Place])[] = value.kind === "list" ? itemsOf(value.items, at) : [[value, at]];
  return items.flatMap(([item, place]) => {
    const said = text(reading, item, place);
    if (said === undefined) return [];
    return split(said) ?? refuse(reading, place, "has a quote that is not closed") ?? [];
  });
}

/** Words of a line, by a shell's rules for quotes; undefined when one is not closed. */
export function split(line: string): string[] | undefined {
  const word = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gsy;
  const words: string[] = [];
  for (let at = skip(line, 0); at < line.length; at = skip(line, word.lastIndex)) {
    word.lastIndex = at;
    const found = word.exec(line)?.[0];
    if (found === undefined) return undefined;
    words.push(unquoted(found));
  }
  return words;
}

function skip(line: string, from: number): number {
  const space = /\s*/y;
  space.lastIndex = from;
  space.exec(line);
  return space.lastIndex;
}

const unquoted = (word: string): string =>
  word.replace(
    /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"/gs,
    (_, escaped?: string, single?: string, double?: string) =>
      escaped ?? single ?? (double ?? "").replace(/\\(["\\$`])/g, "$1"),
  );

/** As a word of a line that is cut so again. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** What an alternative says of a container must be said by all of them, since the job is one. */
export function ofAlternatives(
  reading: Reading,
  alternatives: readonly { readonly image: string | undefined; readonly at: Place }[],
  out: Draft,
): void {
  const named = alternatives.filter(({ image }) => image !== undefined);
  const [first] = named;
  if (first?.image === undefined) return;
  const isForAll = named.length === alternatives.length || out.task.container?.image === first.image;
  if (!isForAll) defer(reading, first.at, "containers on some of the machines that a job may get, and not on others");
  else if (named.some(({ image }) => image !== first.image))
    defer(reading, first.at, "containers that differ by the machine that a job gets");
  else imageOfContainer(reading, first.image, first.at, out);
}
