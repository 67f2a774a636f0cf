/** Deliveries: what hooks were sent, and what became of it. */
import * as z from "zod";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Indexes, Table, Write } from "../ports/table.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { Facts } from "./facts.ts";

/** How long deliveries are kept, in ms. */
export const KEPT = 30 * 24 * 3_600_000;

/** launched: by one rule or more; held: until somebody approves of the commit; failed: nothing could be launched. */
export const Outcome = z.enum(["launched", "held", "failed", "skipped"]);
export type Outcome = z.infer<typeof Outcome>;

/** What one rule made of it. */
export const Result = z.object({
  rule: z.string().meta({ description: "Its name, or its place and its events" }),
  outcome: Outcome,
  message: z.string().optional().meta({ description: "Why" }),
  clusterId: z.string().optional(),
  clusterName: z.string().optional(),
  jobId: z.string().optional(),
  replaces: z
    .object({ jobId: z.string(), clusterId: z.string().optional(), deliveryId: z.string() })
    .optional()
    .meta({ description: "What was launched before for this ref, and is cancelled; with clusterId, its cluster too" }),
});
export type Result = z.infer<typeof Result>;

export const Delivery = z.object({
  id: z.string(),
  workspace: z.string(),
  hookId: z.string(),
  event: z.string(),
  action: z.string().optional(),
  repository: z.string().optional(),
  ref: z.string().optional(),
  sha: z.string().optional(),
  pull: z.number().optional(),
  sender: z.string(),
  /** What its sender calls it. */
  senderId: z.string().optional(),
  bytes: z.number(),
  /** Absent: it is to be looked at. */
  outcome: Outcome.optional(),
  message: z.string().optional(),
  results: z.array(Result),
  /** How often it was replayed. */
  round: z.number().int(),
  /** How often it could not be looked at to the end, in this round. */
  tries: z.number().int(),
  /** Epoch ms at which it is looked at; absent once it has an outcome. */
  dueAt: z.number().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Delivery = z.infer<typeof Delivery>;

export const noun: Noun<Delivery> = {
  type: "hookdelivery",
  schema: Delivery,
  fields: new Set(Object.keys(Delivery.shape)),
  key: record => Keys.hookDelivery(record.workspace, record.id),
  indexes: (record): Indexes => ({
    list: listKey(record.workspace, record.hookId, record.id),
    ...(record.dueAt !== undefined && { due: Keys.outboxDue(record.id, record.dueAt) }),
  }),
  expiresAt: record => record.createdAt + KEPT,
};

/** A hook's deliveries, in the order in which they came. */
export const listKey = (workspace: string, hookId: string, id: string) =>
  Keys.list(workspace, `hookdelivery#${hookId}`, id);

/** A delivery as the API shows it. */
export const Info = Delivery.omit({ workspace: true, dueAt: true, outcome: true, tries: true, round: true }).extend({
  state: z.enum(["pending", ...Outcome.options]),
  replays: z.number().meta({ description: "How often it was replayed" }),
});
export type Info = z.infer<typeof Info>;

export const Details = Info.extend({ facts: Facts.optional().meta({ description: "What it says, as rules see it" }) });
export type Details = z.infer<typeof Details>;

export const Param = z.object({ hook: z.string().min(1).max(63), delivery: Id.schema("hookDelivery") });

export const info = (delivery: Delivery): Info =>
  Info.parse({ ...delivery, state: delivery.outcome ?? "pending", replays: delivery.round });

export const find = (table: Table, workspace: string, id: string): Promise<Stored<Delivery> | undefined> =>
  load(table, noun, Keys.hookDelivery(workspace, id));

/** @throws MusterError `not_found`, also for that of another hook. */
export async function get(table: Table, hook: { readonly workspace: string; readonly id: string }, id: string) {
  const delivery = await find(table, hook.workspace, id);
  if (delivery?.hookId === hook.id) return delivery;
  throw new MusterError("not_found", `there is no delivery '${id}' of this hook`, {
    hint: "see the latest with: muster hooks deliveries HOOK",
  });
}

const factsKey = (workspace: string, id: string) => ({ ...Keys.hookDelivery(workspace, id), sk: "FACTS" });

/** What it says; undefined when it is not kept any more. */
export async function factsOf(table: Table, { workspace, id }: Delivery): Promise<Facts | undefined> {
  const item = await table.get(factsKey(workspace, id));
  return item && Facts.parse(item.data.facts);
}

export const keepFacts = ({ workspace, id, createdAt }: Delivery, facts: Facts): Write => ({
  put: { ...factsKey(workspace, id), type: "hookfacts", data: { facts }, expiresAt: createdAt + KEPT },
  expect: "absent",
});
