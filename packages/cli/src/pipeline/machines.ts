/** The machines of one cluster that do for all tasks of a file. Pure. */
import { type Issue, MusterError } from "@muster/core/error.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import type { Draft } from "@muster/task/read.ts";

type Resources = NonNullable<TaskInput["resources"]>;

export interface Machines {
  readonly nodes: number;
  readonly resources: Resources;
  readonly groups?: NonNullable<Draft["groups"]>;
}

/** A task as people know it: `task 2 ('judge')`. */
export const titleOf = ({ task }: Draft, index: number): string =>
  `task ${index + 1}${task.name === undefined ? "" : ` ('${task.name}')`}`;

/**
 * As many and as large as the largest of them needs.
 * @throws MusterError `unsupported` where no one cluster can be what all of them ask for, with what and which.
 */
export function machinesFor(drafts: readonly Draft[]): Machines {
  const nodes = Math.max(...drafts.map(({ task }) => task.nodes));
  const withGroups = drafts.findIndex(({ groups }) => groups !== undefined);
  const groups = drafts[withGroups]?.groups;
  if (groups !== undefined) return { nodes, resources: {}, groups: soleGroups(drafts, withGroups, groups) };
  const issues: Issue[] = [];
  let resources: Resources = {};
  for (const [index, draft] of drafts.entries())
    resources = merged(resources, draft.task.resources, (key, message) =>
      issues.push({ path: `${titleOf(draft, index)}: resources.${key}`, message }),
    );
  if (issues.length > 0) throw apart(issues);
  return { nodes, resources };
}

/** Groups are whole machines, each of its own kind: only one task says them, and the others ask for nothing else. */
function soleGroups(drafts: readonly Draft[], at: number, groups: NonNullable<Draft["groups"]>) {
  const said = JSON.stringify(groups);
  const issues = drafts.flatMap((draft, index): Issue[] => {
    const isAlike = draft.groups === undefined || JSON.stringify(draft.groups) === said;
    const asks = Object.keys(draft.task.resources).length > 0;
    if (isAlike && !asks) return [];
    const path = `${titleOf(draft, index)}: ${asks ? "resources" : "groups"}`;
    return [{ path, message: `asks for other machines than the groups of ${titleOf(drafts[at] ?? draft, at)}` }];
  });
  if (issues.length > 0) throw apart(issues);
  return groups;
}

const apart = (issues: readonly Issue[]): MusterError =>
  new MusterError("unsupported", "the tasks of one file run on one cluster, and these ask for different ones", {
    issues,
    hint: "launch each of them by itself, and let one wait for the other: muster launch FILE --after JOB",
  });

type Amiss = (key: string, message: string) => void;
type Merge = (before: never, more: never) => unknown;

/** Those of which the larger does for both; of all others both must say the same. `undefined`: there is no such one. */
const larger: Readonly<Partial<Record<keyof Resources, Merge>>> = {
  accelerators: (before: Record<string, number>, more: Record<string, number>) => {
    const names = Object.keys(before);
    if (names.length !== Object.keys(more).length || names.some(name => more[name] === undefined)) return undefined;
    return Object.fromEntries(names.map(name => [name, Math.max(before[name] ?? 0, more[name] ?? 0)]));
  },
  cpus: (before: Cpus, more: Cpus) => most(before, more, ({ count }) => count),
  memory: (before: Memory, more: Memory) => most(before, more, ({ gib }) => gib),
  diskSize: (before: number, more: number) => Math.max(before, more),
  maxHourly: (before: number, more: number) => Math.min(before, more),
  ports: (before: string[], more: string[]) => [...new Set([...before, ...more])],
};
type Cpus = NonNullable<Resources["cpus"]>;
type Memory = NonNullable<Resources["memory"]>;

/** The larger as it stands; of two that are as large the one that says it more exactly. */
function most<T extends { readonly atLeast: boolean }>(before: T, more: T, size: (one: T) => number): T {
  if (size(before) !== size(more)) return size(before) > size(more) ? before : more;
  return before.atLeast ? more : before;
}

function merged(before: Resources, more: Resources, amiss: Amiss): Resources {
  const choices = (["anyOf", "ordered"] as const).find(key => more[key] !== undefined || before[key] !== undefined);
  const isEmpty = [before, more].some(one => Object.keys(one).length === 0);
  if (choices !== undefined && !isEmpty && JSON.stringify(before) !== JSON.stringify(more)) {
    amiss(spelled(choices), "has choices, and another task asks for something else");
    return before;
  }
  const out: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(more)) out[key] = both(before, key as keyof Resources, value, amiss);
  return out as Resources;
}

function both(before: Resources, key: keyof Resources, value: unknown, amiss: Amiss): unknown {
  const known = before[key];
  if (known === undefined || JSON.stringify(known) === JSON.stringify(value)) return value;
  const found = larger[key]?.(known as never, value as never);
  if (found === undefined)
    amiss(spelled(key), `is ${JSON.stringify(value)}, and ${JSON.stringify(known)} in a task before it`);
  return found ?? known;
}

/** As task files spell it. */
const spelled = (key: string): string => key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
