/** The bounds of the canonical task, which are core's, told in the file's own words. */
import { Groups, tooWide } from "@muster/core/cluster/group.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import { MaxConcurrentJobs } from "@muster/core/cluster/slots.ts";
import { EnvName, Task } from "@muster/core/task/task.ts";
import type * as z from "zod";
import type { Draft } from "./draft.ts";
import { type Place, type Reading, refuse } from "./reading.ts";

/** Stands in for mounts, each of which was checked where it was read: how many there may be is core's to say. */
const MOUNT = { kind: "file", path: "any", upload: "0".repeat(64) };

/** Holds a draft against core's schemas. */
export function hold(reading: Reading, draft: Draft): void {
  const { fileMounts, buckets, workdir } = draft;
  const mounts = [...fileMounts, ...buckets].map(() => MOUNT);
  const repository = typeof workdir === "object" ? { workdir } : {};
  for (const issue of Task.safeParse({ ...draft.task, ...repository, mounts }).error?.issues ?? []) {
    const field = issue.path.map(String);
    refuse(reading, origin(reading, field), messageOf(issue), remedy(draft, field));
  }
  for (const { name, at } of draft.missing) {
    const issue = EnvName.safeParse(name).error?.issues[0];
    if (issue !== undefined) refuse(reading, at, messageOf(issue));
  }
  for (const issue of Idle.optional().safeParse(draft.idle).error?.issues ?? []) {
    refuse(reading, origin(reading, ["idle"]), `is no policy that a cluster can have: ${messageOf(issue)}`);
  }
  for (const issue of MaxConcurrentJobs.optional().safeParse(draft.maxConcurrentJobs).error?.issues ?? [])
    refuse(reading, origin(reading, ["maxConcurrentJobs"]), messageOf(issue));
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

function origin(reading: Reading, field: readonly string[]): Place {
  for (let length = field.length; length > 0; length--) {
    const found = reading.origins.get(field.slice(0, length).join("."));
    if (found !== undefined) return found;
  }
  return { path: field[0] === "mounts" ? "file_mounts" : field.join(".") };
}

/** What one of zod's issues says, in the words of this package. */
export function messageOf(issue: z.core.$ZodIssue): string {
  const unit = "origin" in issue && issue.origin === "string" ? " characters" : "";
  if (issue.code === "too_big")
    return `must be ${issue.maximum}${unit} at most${unit === "" ? ", which is Muster's bound" : ""}`;
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
