/** Pools: clusters of one kind that are kept ready, stopped or running, for launches to take. */
import * as z from "zod";
import type { Actor, By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Indexes, Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { unknown } from "../unknown.ts";
import { MOST } from "./bounds.ts";

/** In which state its members wait. */
export const Keep = z.enum(["running", "stopped"]);
export type Keep = z.infer<typeof Keep>;

/** How many members it keeps. */
export const Size = z.number().int().min(0).max(MOST);

/** A size that holds from each of these times on. */
export const Turn = z.strictObject({
  cron: z.string().min(1).max(200).meta({ description: "Five fields, or a nickname such as @daily" }),
  timeZone: z.string().min(1).max(64).default("UTC").meta({ description: "IANA name, such as Europe/Paris" }),
  size: Size,
});
export type Turn = z.infer<typeof Turn>;

export const Turns = z.array(Turn).max(20).default([]).meta({
  description: "Sizes by time: that of the last time that has come stands, until somebody says another",
});

/** Why a member came to nothing, the last time that one did. */
export const Setback = z.object({
  at: z.number().meta({ description: "Epoch milliseconds" }),
  code: z.string(),
  message: z.string(),
  clusterId: z.string().optional(),
});
export type Setback = z.infer<typeof Setback>;

export const Pool = z.object({
  id: z.string(),
  workspace: z.string(),
  /** Told apart whatever its letters' case. */
  name: z.string(),
  /** In whose name its members are made: who set it last. */
  owner: z.string(),
  /** Whether others may take from it. */
  shared: z.boolean(),
  keep: Keep,
  size: Size,
  sizes: Turns,
  /** Epoch ms of the next change of size. */
  nextAt: z.number().optional(),
  /** Epoch ms at which somebody must look at it; absent when nothing is to come. */
  dueAt: z.number().optional(),
  /** Counts what its members are made from: those of an earlier one are replaced. */
  revision: z.number().int(),
  /** Members made so far. */
  made: z.number().int(),
  /** Members in a row that came to nothing. */
  failures: z.number().int(),
  /** Epoch ms before which no other is made. */
  retryAt: z.number().optional(),
  setback: Setback.optional(),
  /** Members that may be taken at once, and those that are being made, when it was last looked at. */
  ready: z.number().int(),
  making: z.number().int(),
  /** It is removed when its members are. */
  leaving: z.boolean().optional(),
  /** Name of the task that prepares its members. */
  task: z.string().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Pool = z.infer<typeof Pool>;

export const noun: Noun<Pool> = {
  type: "pool",
  schema: Pool,
  fields: new Set(Object.keys(Pool.shape)),
  key: record => Keys.pool(record.workspace, record.name),
  indexes: record => ({ list: Keys.list(record.workspace, "pool", record.name.toLowerCase()), ...dueIndex(record) }),
};

function dueIndex(record: Pool): Indexes {
  if (record.dueAt === undefined) return {};
  return { due: Keys.due(Keys.pool(record.workspace, record.name).pk, record.id, record.dueAt) };
}

/** Which pool; the letters' case of its name says nothing. */
export interface PoolRef {
  readonly workspace: string;
  readonly name: string;
}

export const find = (table: Table, workspace: string, name: string): Promise<Stored<Pool> | undefined> =>
  load(table, noun, Keys.pool(workspace, name));

/** @throws MusterError `not_found` with the nearest name. */
export async function get(table: Table, workspace: string, name: string): Promise<Stored<Pool>> {
  const pool = await find(table, workspace, name);
  if (pool !== undefined) return pool;
  throw await unknown(table, workspace, "pool", name);
}

/** @throws MusterError `forbidden` unless the actor set it or is an admin: its members are made in its owner's name. */
export function requireControl(actor: Actor, pool: Pool): void {
  if (pool.owner === actor.id || actor.role === "admin") return;
  throw new MusterError("forbidden", `pool '${pool.name}' belongs to ${pool.owner}`, {
    hint: "its owner or an admin may do that",
  });
}

/** @throws MusterError `conflict` for a pool that is being removed. */
export function requireStaying({ name, leaving }: Pool): void {
  if (!leaving) return;
  throw new MusterError("conflict", `pool '${name}' is being removed`, {
    hint: "wait until it has gone (muster pool list), or choose another name",
  });
}

/** How long its history is kept, in ms. */
const HISTORY = 30 * 24 * 3_600_000;

type What = "set" | "sized" | "made" | "ready" | "taken" | "failed" | "ended" | "leaving" | "removed";

/** The line of its history that says what was done to it, or what it did. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  pool: Pool,
  what: What,
  why: Pick<Event.Event, "message" | "details" | "clusterId"> = {},
): Write {
  const at = world.clock.now();
  const event = {
    id: Id.create(world.random, "event"),
    at,
    subject: pool.id,
    kind: `pool.${what}`,
    ...why,
  };
  return { put: { ...Event.draft(noun.key(pool), by, event), expiresAt: at + HISTORY }, expect: "absent" };
}
