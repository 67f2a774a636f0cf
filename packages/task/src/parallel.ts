/** Groups of jobs: the tasks of a file that run at the same time, what each of them is to the others, and what they may not be. */
import { LEAST, MOST } from "@muster/core/jobgroup/bounds.ts";
import { variableOf } from "@muster/core/jobgroup/variable.ts";
import type { Draft } from "./draft.ts";
import { type Place, type Reading, refuse, similar } from "./reading.ts";
import type { Together } from "./together.ts";

/** What a task is to the others that run at the same time. */
export interface Role {
  /** The others are ended when all primary ones have ended. */
  readonly primary: boolean;
  /** Seconds that it may go on when the primary ones have succeeded. */
  readonly delay: number;
}

interface Part {
  readonly reading: Reading;
  readonly task: Draft;
}

const nameOf = ({ task }: Part): string => task.task.name ?? "";

/** By the tasks' places in the file. */
export function rolesOf({ primary, delays }: Together, tasks: readonly Draft[]): Role[] {
  const names = primary.map(({ name }) => name);
  const delayOf = (name: string | undefined) => delays.find(one => one.name === name)?.seconds;
  return tasks.map(({ task: { name = "" } }) => ({
    primary: names.length === 0 || names.includes(name),
    delay: delayOf(name) ?? delayOf(undefined) ?? 0,
  }));
}

/** Notes everything for which these tasks cannot run at the same time, each with hosts of its own. */
export function checkParallel(reading: Reading, said: Together, parts: readonly Part[]): void {
  const at: Place = said.executionAt ?? { path: "execution" };
  if (parts.length < LEAST)
    refuse(reading, at, `is for two tasks or more, and this file has ${parts.length === 0 ? "none" : "one"}`);
  if (parts.length > MOST) refuse(reading, at, `is for ${MOST} tasks at most, and this file has ${parts.length}`);
  if (said.name === undefined)
    refuse(reading, at, "wants a name beside it: the tasks find each other by it", "write: name: NAME");
  const names = parts.map(nameOf);
  for (const { name, at: place } of said.delays)
    if (name !== undefined && !names.includes(name))
      refuse(reading, place, `no task of this file is called '${name}'`, similar(name, names));
  for (const [index, part] of parts.entries()) checkPart(part, parts.slice(0, index));
}

function checkPart(part: Part, before: readonly Part[]): void {
  const { reading, task } = part;
  const name = nameOf(part);
  const at = reading.origins.get("name") ?? { path: "name" };
  const same = before.find(other => name !== "" && variableOf(nameOf(other)) === variableOf(name));
  if (name === "") refuse(reading, at, "is missing: the others find this task by its name", "write: name: NAME");
  if (same !== undefined) refuse(reading, at, `another task of this file is called '${nameOf(same)}'`);
  for (const [path, message] of amissIn(task)) refuse(reading, reading.origins.get(path) ?? { path }, message);
}

function amissIn({ after, groups, task }: Draft): [path: string, message: string][] {
  const [first] = after ?? [];
  return [
    ...(first === undefined ? [] : [[first.at.path, "cannot be: all tasks of this file begin at once"]]),
    ...(groups === undefined ? [] : [["groups", "cannot be: each task of this file has hosts of one kind"]]),
    ...(task.runs === undefined ? [] : [["runs", "cannot be: each task of this file runs once"]]),
  ] as [string, string][];
}
