/** What a file of several tasks says of all of them. */
import { type Check, itemsOf, mapOf, orMap, word } from "./check.ts";
import { claim, defer, type Field, type Keys, mistyped, type Place, text, written } from "./reading.ts";
import type { Execution } from "./result.ts";

export interface Together {
  name?: string;
  execution?: Execution;
  /** Names of the tasks whose end is the end of all. */
  primary: { readonly name: string; readonly at: Place }[];
}

const time: Check = (reading, node, at) => void written(reading, node, at, 'a time such as "30s"');

/** The keys of the first document of such a file. */
export const together: Keys<Together> = {
  name: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined && claim(reading, "name", at)) out.name = read;
  },
  execution: (reading, value, at, out) => {
    const read = word(reading, value, at, ["serial", "parallel"]);
    if (read !== undefined) out.execution = read;
  },
  primary_tasks: (reading, value, at, out) => {
    if (value.kind !== "list") return mistyped(reading, value, at, "a list of names");
    for (const [item, place] of itemsOf(value.items, at)) {
      const name = text(reading, item, place);
      if (name !== undefined) out.primary.push({ name, at: place });
    }
  },
  termination_delay: (reading, value, at) => orMap(time, mapOf(time))(reading, value, at),
};

type Read<O> = Extract<Field<O>, (...args: never[]) => void>;

/** One of these keys in a file of one task: checked, and nothing that one task can do. */
export function ofGroup(key: keyof typeof together): Read<unknown> {
  return (reading, value, at) => {
    const field = together[key];
    if (typeof field === "function") field(reading, value, at, { primary: [] });
    defer(reading, at, "groups of jobs: several tasks at the same time");
  };
}
