/**
 * A sweep that somebody asks for: of its own workspace only, and of the same things, in the same way, as the one that comes
 * every five minutes. It is asked for where no cloud can be reached, done where one can, and forgotten after a day.
 */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { commit } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Draft, Table } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";

/** How long what it found is kept, in ms. */
const KEPT = 86_400_000;
/** A ring that was lost is made up for after this, in ms. */
const LOOK = 30_000;
/** The most findings that are told one by one, and the most things that went wrong. */
export const MOST_ITEMS = 100;
export const MOST_PROBLEMS = 10;

export const Request = z.strictObject({
  dryRun: z.boolean().default(false).meta({ description: "Only tell what would be done" }),
});
export type Request = z.infer<typeof Request>;

export const Item = z.object({
  provider: z.string(),
  kind: z.enum(["machine", "snapshots", "image", "placement_group"]),
  id: z
    .string()
    .meta({ description: "The provider's name of it; of snapshots the cluster and the count of its moves" }),
  clusterId: z.string().optional(),
  since: z.number().optional().meta({ description: "Epoch milliseconds since when it is there, where that is known" }),
  instanceType: z.string().optional(),
  hourly: z
    .number()
    .optional()
    .meta({ description: "US dollars per hour of a machine that runs, where that is known" }),
  act: z.enum(["terminate", "stop", "delete", "keep"]).meta({ description: "keep: somebody holds it" }),
  outcome: z.enum(["found", "done", "failed"]).meta({ description: "found: nothing was to be done" }),
  why: z.string(),
});
export type Item = z.infer<typeof Item>;

export const Info = z.object({
  id: z.string(),
  state: z.enum(["asked", "done"]),
  dryRun: z.boolean(),
  by: z.string().meta({ description: "Who asked" }),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
  doneAt: z.number().optional(),
  items: z.array(Item).max(MOST_ITEMS),
  total: z.number().int().meta({ description: "How many were found, also beyond those that are told" }),
  problems: z.array(z.string()).meta({ description: "What could not be looked at, or done" }),
});
export type Info = z.infer<typeof Info>;

export const Param = z.object({ sweep: z.string().min(1).max(63).meta({ description: "Id of the sweep" }) });

/** How it stands in the table. */
export const Stored = Info.extend({ workspace: z.string() });
export type Stored = z.infer<typeof Stored>;

export function draft(stored: Stored): Draft {
  const key = Keys.sweep(stored.workspace, stored.id);
  const isOpen = stored.state === "asked";
  const due = isOpen && { due: Keys.due(key.pk, stored.id, stored.createdAt + LOOK) };
  return { ...key, type: "sweep", data: stored, indexes: { ...due }, expiresAt: stored.createdAt + KEPT };
}

/** @throws Replay when the same request was answered before. */
export async function ask(world: Basics, actor: Actor, { dryRun }: Request): Promise<Info> {
  const id = Id.create(world.random, "sweep");
  const { workspace, id: by } = actor;
  const createdAt = world.clock.now();
  const asked: Stored = { id, workspace, state: "asked", dryRun, by, createdAt, items: [], total: 0, problems: [] };
  const info = Info.parse(asked);
  const what = { subject: id, kind: "sweep.asked", details: { dryRun } };
  const event = Event.happens(world, Keys.sweep(workspace, id), actor, what);
  await commit(world, actor, [{ put: draft(asked), expect: "absent" }, event], info);
  return info;
}

/** @throws MusterError `not_found`, also for one that is forgotten. */
export async function get(world: { readonly table: Table }, actor: Actor, id: string): Promise<Info> {
  const item = await world.table.get(Keys.sweep(actor.workspace, id));
  if (item === undefined) throw new MusterError("not_found", `there is no sweep '${id}'; one is kept for a day`);
  return Info.parse(item.data);
}
