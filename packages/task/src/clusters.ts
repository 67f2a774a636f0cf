/** Clusters and targets that other launchers' files define: their names, and core's bounds in the file's own words. */
import { Groups } from "@muster/core/cluster/group.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import { Name } from "@muster/core/task/task.ts";
import type { ClusterDraft } from "./draft.ts";
import { messageOf } from "./hold.ts";
import { type Place, type Reading, refuse, text } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

/** A name as Muster has them. */
export function clusterName(reading: Reading, node: Node, at: Place): string | undefined {
  const read = text(reading, node, at);
  return read === undefined ? undefined : fitting(reading, read, at);
}

/** The name, if it is one; else one that fits is proposed. */
export function fitting(reading: Reading, name: string, at: Place): string | undefined {
  const { error } = Name.safeParse(name);
  if (error === undefined) return name;
  const fit = fitOf(name);
  return refuse(reading, at, error.issues[0]?.message ?? "is no name", fit === "" ? undefined : `write ${fit}`);
}

const fitOf = (name: string): string =>
  name
    .replaceAll(/[^a-z0-9._-]+/gi, "-")
    .replaceAll(/^[._-]+/g, "")
    .slice(0, 63)
    .replaceAll(/[._-]+$/g, "");

/** Holds a cluster against core's schemas. The origins of its fields are in the reading, as `groups.0.nodes`. */
export function holdCluster(reading: Reading, { groups, idle }: ClusterDraft): void {
  for (const issue of Groups.safeParse(groups).error?.issues ?? [])
    refuse(reading, originOf(reading, ["groups", ...issue.path.map(String)]), messageOf(issue));
  for (const issue of Idle.optional().safeParse(idle).error?.issues ?? [])
    refuse(reading, originOf(reading, ["idle"]), `is no policy that a cluster can have: ${messageOf(issue)}`);
}

/** Where the field, or the nearest that it is part of, came from. */
function originOf(reading: Reading, field: readonly string[]): Place {
  for (let length = field.length; length > 0; length--) {
    const found = reading.origins.get(field.slice(0, length).join("."));
    if (found !== undefined) return found;
  }
  return { path: field.join(".") };
}
