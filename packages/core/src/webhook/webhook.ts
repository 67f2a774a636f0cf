/**
 * Webhooks: addresses of others that are told of a workspace's events, signed as Standard Webhooks has it.
 *
 * Gotcha: no secret is stored. It follows from the deployment's key, the webhook's id and its generation, and is shown when
 * the webhook is made and when it is rotated. Its URL is stored, and may be a secret by itself: admins alone see it.
 */
import * as z from "zod";
import type { By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { nearest } from "../near.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { type Noun, read, type Stored } from "../record.ts";
import { Labels, Name } from "../task/task.ts";
import { Patterns } from "./filter.ts";

/** Without users and passwords, which would be sent in the open and shown to whoever sees the list. */
const Url = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine(text => !/^https?:\/\/[^/?#]*@/i.test(text), "must have no user and no password in it");

const said = {
  url: Url.meta({ description: "Where events are sent to, by https" }),
  format: z
    .enum(["standard", "slack"])
    .default("standard")
    .meta({ description: "standard: the event as JSON; slack: one line of text, as Slack and those like it take it" }),
  events: Patterns,
  clusters: z
    .array(z.string().min(1).max(63))
    .max(20)
    .optional()
    .meta({ description: "Names or ids of clusters: events of others are left out" }),
  labels: Labels.optional().meta({ description: "Labels that a job has: events of others are left out" }),
};

/** Why nothing is sent to it. */
const Disabled = z.object({ at: z.number(), reason: z.string() });

export const Webhook = z.object({
  ...said,
  id: z.string(),
  workspace: z.string(),
  /** Told apart whatever its letters' case. */
  name: z.string(),
  /** Counts its secrets. */
  generation: z.number().int(),
  /** Epoch ms until which the secret before signs as well. */
  previousUntil: z.number().optional(),
  disabled: Disabled.optional(),
  createdBy: z.string(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Webhook = z.infer<typeof Webhook>;

export const noun: Noun<Webhook> = {
  type: "webhook",
  schema: Webhook,
  fields: new Set(Object.keys(Webhook.shape)),
  key: record => Keys.webhook(record.workspace, record.name.toLowerCase()),
  indexes: () => ({}),
};

/** A webhook as the API shows it. */
export const Info = Webhook.omit({ workspace: true });
export type Info = z.infer<typeof Info>;

/** With what its receiver checks signatures by. */
export const Created = Info.extend({
  secret: z.string().meta({ description: "As Standard Webhooks has it, such as whsec_…; it is not shown again" }),
});
export type Created = z.infer<typeof Created>;

/** What a caller may set: the whole of it. */
export const Change = z.strictObject(said);
export type Change = z.infer<typeof Change>;

export const Create = z.strictObject({ name: Name, webhook: Change });
export type Create = z.infer<typeof Create>;

export const Param = z.object({
  webhook: z.string().min(1).max(63).meta({ description: "Id or name of the webhook" }),
});

/** All of a workspace, as they stand: few, and in one partition. */
export async function all(table: Table, workspace: string): Promise<Stored<Webhook>[]> {
  const found: Stored<Webhook>[] = [];
  let cursor: string | undefined;
  do {
    const range = { pk: Keys.webhooks(workspace), prefix: Keys.WEBHOOK, limit: 1000 };
    const page = await table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(item => read(noun, item)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** By id or name; undefined when there is none. */
export async function find(table: Table, workspace: string, reference: string): Promise<Stored<Webhook> | undefined> {
  if (Id.is("webhook", reference)) return (await all(table, workspace)).find(({ id }) => id === reference);
  const item = await table.get(Keys.webhook(workspace, reference.toLowerCase()));
  return item && read(noun, item);
}

/** @throws MusterError `not_found` with the nearest name. */
export async function get(table: Table, workspace: string, reference: string): Promise<Stored<Webhook>> {
  const webhook = await find(table, workspace, reference);
  if (webhook !== undefined) return webhook;
  const near = nearest(
    reference,
    (await all(table, workspace)).map(({ name }) => name),
  );
  throw new MusterError("not_found", `there is no webhook '${reference}'`, {
    hint: near ? `did you mean '${near}'?` : "see what there is with: muster webhooks list",
  });
}

type What = "created" | "set" | "rotated" | "enabled" | "disabled" | "replayed" | "tried" | "removed";

/** The line of its history that says what was done to it: never its URL. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  webhook: Webhook,
  what: What,
  message?: string,
): Write {
  const event = {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: webhook.id,
    kind: `webhook.${what}`,
    ...(message !== undefined && { message }),
    details: { name: webhook.name },
  };
  return { put: Event.draft(noun.key(webhook), by, event), expect: "absent" };
}
