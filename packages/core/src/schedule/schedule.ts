/** Schedules: launches that come again and again, at times that a line of cron says. */
import * as z from "zod";
import type { Actor, By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import * as Launch from "../launch/launch.ts";
import type { Indexes, Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { Name } from "../task/task.ts";
import { unknown } from "../unknown.ts";

/** What happens to a time that comes while the job of the last one goes on. */
export const Overlap = z.enum(["skip", "queue", "replace"]).meta({
  description:
    "What happens to a time that comes while the last job has not ended. skip: nothing; queue: it is launched when that " +
    "one has ended, once however many times have come; replace: that one is cancelled",
});

/** What was launched last. */
const Launched = z.object({
  at: z.number().meta({ description: "Epoch milliseconds of the time that it was for" }),
  clusterId: z.string(),
  clusterName: z.string(),
  jobId: z.string(),
});

/** What became of the last time that has come. */
const Last = z.object({
  at: z.number().meta({ description: "Epoch milliseconds of the time" }),
  outcome: z.enum(["launched", "skipped", "queued", "failed"]),
  message: z.string().optional(),
});
export type Last = z.infer<typeof Last>;

const said = {
  cron: z.string().min(1).max(200).meta({ description: "Five fields, or a nickname such as @daily" }),
  timeZone: z.string().min(1).max(64).default("UTC").meta({ description: "IANA name, such as Europe/Paris" }),
  overlap: Overlap.default("skip"),
};

export const Schedule = z.object({
  ...said,
  id: z.string(),
  workspace: z.string(),
  /** Told apart whatever its letters' case. */
  name: z.string(),
  /** In whose name it launches: who set it last. */
  owner: z.string(),
  /** Names of the cluster and the task that it launches, as far as they have any. */
  cluster: z.string().optional(),
  task: z.string().optional(),
  paused: z.boolean(),
  /** Epoch ms of the next time; absent while it is paused. */
  nextAt: z.number().optional(),
  /** Epoch ms at which somebody must look at it; absent while it is paused. */
  dueAt: z.number().optional(),
  /** Epoch ms of a time that has come, and is launched when the last job has ended. */
  owed: z.number().optional(),
  last: Last.optional(),
  launched: Launched.optional(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Schedule = z.infer<typeof Schedule>;

export const noun: Noun<Schedule> = {
  type: "schedule",
  schema: Schedule,
  fields: new Set(Object.keys(Schedule.shape)),
  key: record => Keys.schedule(record.workspace, record.name),
  indexes: record => ({
    list: Keys.list(record.workspace, "schedule", record.name.toLowerCase()),
    ...dueIndex(record),
  }),
};

function dueIndex(record: Schedule): Indexes {
  if (record.dueAt === undefined) return {};
  return { due: Keys.due(Keys.schedule(record.workspace, record.name).pk, record.id, record.dueAt) };
}

/** A schedule as the API shows it. */
export const Info = Schedule.omit({ workspace: true, dueAt: true }).extend({
  nextAt: z.number().optional().meta({ description: "Epoch milliseconds of the next time; absent while it is paused" }),
});
export type Info = z.infer<typeof Info>;

/** One of them, with its next times. */
export const Details = Info.extend({
  next: z.array(z.number()).meta({ description: "Epoch milliseconds of the next five times; none while it is paused" }),
});
export type Details = z.infer<typeof Details>;

/** What a caller may set: the whole of it. */
export const Change = z.strictObject({ ...said, launch: Launch.Create });
export type Change = z.infer<typeof Change>;

export const NameParam = z.object({ name: Name.meta({ description: "Name of the schedule" }) });

export const find = (table: Table, workspace: string, name: string): Promise<Stored<Schedule> | undefined> =>
  load(table, noun, Keys.schedule(workspace, name));

/** @throws MusterError `not_found` with the nearest name. */
export async function get(table: Table, workspace: string, name: string): Promise<Stored<Schedule>> {
  const schedule = await find(table, workspace, name);
  if (schedule !== undefined) return schedule;
  throw await unknown(table, workspace, "schedule", name);
}

/** @throws MusterError `forbidden` unless the actor set it or is an admin: it launches in its owner's name. */
export function requireControl(actor: Actor, schedule: Schedule): void {
  if (schedule.owner === actor.id || actor.role === "admin") return;
  throw new MusterError("forbidden", `schedule '${schedule.name}' belongs to ${schedule.owner}`, {
    hint: "its owner or an admin may do that",
  });
}

/** How long its history is kept, in ms: one that comes every minute writes much of it. */
const HISTORY = 30 * 24 * 3_600_000;

type What = "set" | "paused" | "resumed" | "removed" | Last["outcome"];

/** The line of its history that says what was done to it, or what it did. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  schedule: Schedule,
  what: What,
  why: Pick<Event.Event, "message" | "details"> = {},
): Write {
  const at = world.clock.now();
  const event = {
    id: Id.create(world.random, "event"),
    at,
    subject: schedule.id,
    kind: `schedule.${what}`,
    ...why,
  };
  return { put: { ...Event.draft(noun.key(schedule), by, event), expiresAt: at + HISTORY }, expect: "absent" };
}
