/**
 * Targets: named places to run jobs, each a provider and what is asked of its machines. One that bears the name of a cloud
 * stands in for it, where this control plane has no provider of that name.
 */

import * as z from "zod";
import type { By } from "../actor/actor.ts";
import { Nodes } from "../cluster/group.ts";
import { Idle } from "../cluster/idle.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { nearest } from "../near.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { Name, Resources } from "../task/task.ts";

const said = {
  /** Name of a provider of this control plane. */
  provider: z.string().min(1).max(63),
  /** For whatever a task leaves open. */
  resources: Resources.default({}),
  /** Hosts, for tasks that are for one. */
  nodes: Nodes.optional(),
  /** For clusters that are made for it, where their launch says nothing of it. */
  idle: Idle.optional(),
};

export const Target = z.object({
  ...said,
  workspace: z.string(),
  /** Told apart whatever its letters' case. */
  name: z.string(),
  /** Who made it. */
  owner: z.string(),
  createdAt: z.number(),
  changedBy: z.string(),
  changedAt: z.number(),
});
export type Target = z.infer<typeof Target>;

export const noun: Noun<Target> = {
  type: "target",
  schema: Target,
  fields: new Set(Object.keys(Target.shape)),
  key: record => Keys.target(record.workspace, record.name),
  indexes: () => ({}),
};

/** A target as the API shows it. */
export const Info = Target.omit({ workspace: true });
export type Info = z.infer<typeof Info>;

export const NameParam = z.object({ name: Name.meta({ description: "Name of the target" }) });

/** It is read with launches, and stands in one item. */
const MOST_LETTERS = 16_000;

/** What a caller may set: the whole of it. */
export const Change = z.strictObject(said).superRefine(({ provider, resources }, context) => {
  const amiss = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: ["resources", key], message });
  if ((resources.provider ?? provider) !== provider) amiss("provider", `the target's provider is '${provider}'`);
  for (const key of ["anyOf", "ordered"] as const)
    if (resources[key] !== undefined) amiss(key, "a target has one kind of machine: make a target for each");
  if (JSON.stringify(resources).length > MOST_LETTERS) amiss("labels", "this is too much for one target");
});
export type Change = z.infer<typeof Change>;

export const find = (table: Table, workspace: string, name: string): Promise<Stored<Target> | undefined> =>
  load(table, noun, Keys.target(workspace, name));

/** The line of its history that says what was done to it. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  target: Target,
  kind: "target.set" | "target.removed",
): Write {
  const { name, provider } = target;
  const event = { id: Id.create(world.random, "event"), at: world.clock.now(), subject: name, kind };
  return { put: Event.draft(noun.key(target), by, { ...event, details: { provider } }), expect: "absent" };
}

/** @throws MusterError `not_found` with the nearest name. @param path of the request that names it */
export async function get(table: Table, workspace: string, name: string, path: string): Promise<Stored<Target>> {
  const target = await find(table, workspace, name);
  if (target !== undefined) return target;
  const { items } = await table.query({ pk: Keys.targets(workspace), prefix: Keys.TARGET, limit: 1000 });
  const near = nearest(
    name,
    items.map(item => String(item.data.name)),
  );
  const issue = { path, message: `there is no target '${name}'`, ...(near && { suggestion: `did you mean ${near}?` }) };
  throw new MusterError("not_found", `there is no target '${name}'`, {
    issues: [issue],
    hint: "see what there is with: muster targets list",
  });
}
