/** Which tasks of a file wait for which others of it. */
import { itemsOf, shape, word } from "./check.ts";
import type { Draft } from "./draft.ts";
import { type Field, mistyped, type Place, type Reading, refuse, similar, text } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

export const ENDS = ["success", "end"] as const;
export type End = (typeof ENDS)[number];

/** Another task of the file, and which of its ends is waited for. */
export interface After {
  readonly name: string;
  readonly on: End;
  readonly at: Place;
}

/** The same, by its number in the file, from 0. */
export interface Wait {
  readonly task: number;
  readonly on: End;
}

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** `after: train`, `after: [train, judge]`, or `after: [{ task: train, on: end }]`. */
export const after: ReadField = (reading, value, at, out) => {
  const items: [Node, Place][] = value.kind === "list" ? itemsOf(value.items, at) : [[value, at]];
  const read = items.flatMap(([item, place]) => one(reading, item, place) ?? []);
  if (read.length > 0) out.after = read;
};

const entry = shape(
  {
    task: (reading, node, at) => void text(reading, node, at),
    on: (reading, node, at) => void word(reading, node, at, ENDS),
  },
  ["task"],
);

function one(reading: Reading, item: Node, at: Place): After | undefined {
  if (item.kind === "list") return mistyped(reading, item, at, "the name of a task");
  if (item.kind === "scalar") return named(reading, item, at, "success");
  entry(reading, item, at);
  const [task, on] = [item.entries.get("task"), item.entries.get("on")];
  const end = on === undefined ? "success" : word(reading, on.value, at, ENDS);
  return task === undefined || end === undefined ? undefined : named(reading, task.value, at, end);
}

function named(reading: Reading, node: Node, at: Place, on: End): After | undefined {
  const name = text(reading, node, at);
  return name === undefined ? undefined : { name, on, at };
}

/** One task of a file, and the reading that its mistakes go to. */
export interface Part {
  readonly reading: Reading;
  readonly task: Draft;
}

/**
 * What each task waits for. Where none says so, and they run one after the other, each waits for the success of the one
 * before it; where one does, those that say nothing begin at once.
 */
export function waitsOf(parts: readonly Part[], isSerial: boolean): Wait[][] {
  if (parts.every(({ task }) => task.after === undefined))
    return parts.map((_, index) => (isSerial && index > 0 ? [{ task: index - 1, on: "success" }] : []));
  const waits = parts.map((part, index) => found(parts, part, index));
  refuseCycle(parts, waits);
  return waits;
}

function found(parts: readonly Part[], { reading, task }: Part, self: number): Wait[] {
  const names = parts.flatMap((other, index) => (index === self ? [] : (other.task.task.name ?? [])));
  const waits: Wait[] = [];
  for (const { name, on, at } of task.after ?? []) {
    const fitting = parts.flatMap((other, index) => (other.task.task.name === name ? [index] : []));
    const [first, second] = fitting;
    if (first === undefined) refuse(reading, at, `no task of this file is called '${name}'`, similar(name, names));
    else if (second !== undefined) refuse(reading, at, `more than one task of this file is called '${name}'`);
    else if (first === self) refuse(reading, at, "is the task itself, which would wait for ever");
    else if (waits.some(wait => wait.task === first)) refuse(reading, at, `names '${name}' twice`);
    else waits.push({ task: first, on });
  }
  return waits;
}

/** Tells of the first circle that it finds, where its first task says what it waits for. */
function refuseCycle(parts: readonly Part[], waits: readonly (readonly Wait[])[]): void {
  const circle = circleIn(waits);
  const [first] = circle ?? [];
  const part = first === undefined ? undefined : parts[first];
  const at = part?.task.after?.[0]?.at;
  if (circle === undefined || part === undefined || at === undefined) return;
  const names = [...circle, ...circle.slice(0, 1)].map(index => `'${parts[index]?.task.task.name}'`);
  refuse(part.reading, at, `goes in a circle: ${names.join(" waits for ")}`, "take one of them out");
}

/** The tasks of a circle, in their order; undefined when there is none. */
function circleIn(waits: readonly (readonly Wait[])[]): number[] | undefined {
  const done = new Set<number>();
  const walk = (task: number, path: readonly number[]): number[] | undefined => {
    if (path.includes(task)) return path.slice(path.indexOf(task));
    if (done.has(task)) return undefined;
    for (const wait of waits[task] ?? []) {
      const circle = walk(wait.task, [...path, task]);
      if (circle !== undefined) return circle;
    }
    done.add(task);
    return undefined;
  };
  for (const task of waits.keys()) {
    const circle = walk(task, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
