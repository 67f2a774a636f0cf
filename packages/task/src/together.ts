/** What a file of several tasks says of all of them. */
import { entriesOf, itemsOf, word } from "./check.ts";
import { duration } from "./quantity.ts";
import { claim, defer, type Field, type Keys, mistyped, type Place, type Reading, refuse, text } from "./reading.ts";
import type { Execution } from "./result.ts";
import type { Node } from "./yaml/tree.ts";

export interface Together {
  name?: string;
  execution?: Execution;
  /** Names of the tasks whose end is the end of all. */
  primary: { readonly name: string; readonly at: Place }[];
  /** How long the others go on after that; without a name: those that have none of their own. */
  delays: Delay[];
  executionAt?: Place;
}

interface Delay {
  readonly name: string | undefined;
  readonly seconds: number;
  readonly at: Place;
}

/** Seconds. */
const LONGEST = 86_400;

function delay(reading: Reading, node: Node, at: Place, name: string | undefined, out: Together): void {
  const read = duration(reading, node, at, 1);
  if (read === undefined) return;
  if (read > LONGEST) refuse(reading, at, "must be a day at most");
  out.delays.push({ name, seconds: Math.ceil(read), at });
}

/** The keys of the first document of such a file. */
export const together: Keys<Together> = {
  name: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined && claim(reading, "name", at)) out.name = read;
  },
  execution: (reading, value, at, out) => {
    const read = word(reading, value, at, ["serial", "parallel"]);
    if (read !== undefined) Object.assign(out, { execution: read, executionAt: at });
  },
  primary_tasks: (reading, value, at, out) => {
    if (value.kind !== "list") return mistyped(reading, value, at, "a list of names");
    for (const [item, place] of itemsOf(value.items, at)) {
      const name = text(reading, item, place);
      if (name !== undefined) out.primary.push({ name, at: place });
    }
  },
  termination_delay: (reading, value, at, out) => {
    if (value.kind !== "map") return delay(reading, value, at, undefined, out);
    for (const [key, item, place] of entriesOf(value, at))
      delay(reading, item, place, key === "default" ? undefined : key, out);
  },
};

type Read<O> = Extract<Field<O>, (...args: never[]) => void>;

export const nothingSaid = (): Together => ({ primary: [], delays: [] });

/** One of these keys in a file of one task: checked, and nothing that one task can do. */
export function ofGroup(key: keyof typeof together): Read<unknown> {
  return (reading, value, at) => {
    const field = together[key];
    if (typeof field === "function") field(reading, value, at, nothingSaid());
    defer(reading, at, "a group of jobs is several documents: the first says this, and each of the others is a task");
  };
}
