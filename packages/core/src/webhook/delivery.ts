/**
 * Deliveries: one event for one webhook, from the first try to the last. Its id follows from both, is told to the receiver as
 * `webhook-id`, and is the same in each try: whoever gets it twice can tell.
 */
import * as z from "zod";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load, type Noun, type Stored } from "../record.ts";

/** How long one is kept after its last change, in ms. */
const KEPT = 30 * 86_400_000;

/** What became of one try. */
export const Try = z.object({
  at: z.number().meta({ description: "Epoch milliseconds" }),
  ms: z.number().meta({ description: "How long it took" }),
  status: z.number().int().optional().meta({ description: "The receiver's HTTP status; absent: no answer came" }),
  reason: z.string().optional().meta({ description: "Why it was none that counts" }),
});
export type Try = z.infer<typeof Try>;

/** delivered: taken by the receiver; dead: all its tries failed; dropped: the webhook is disabled, or gone. */
export const Outcome = z.enum(["delivered", "dead", "dropped"]);
export type Outcome = z.infer<typeof Outcome>;

export const Delivery = z.object({
  id: z.string(),
  workspace: z.string(),
  webhookId: z.string(),
  webhookName: z.string(),
  /** Of the event. */
  eventId: z.string(),
  kind: z.string(),
  subject: z.string(),
  /** What is sent, to the byte: a try later says the same. */
  body: z.string(),
  /** Tries that were begun since it was made, or replayed. */
  tries: z.number().int(),
  /** What became of the last ones, oldest first. */
  log: z.array(Try),
  /** It is tried once: somebody waits for what comes of it. */
  isTest: z.boolean().optional(),
  /** Absent while it is under way. */
  outcome: Outcome.optional(),
  /** Epoch ms of the next try; while one is under way, when it is given up. Absent when it is over. */
  dueAt: z.number().optional(),
  /** Whether one is under way. */
  taken: z.boolean().optional(),
  replayedBy: z.string().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Delivery = z.infer<typeof Delivery>;

export const noun: Noun<Delivery> = {
  type: "webhookdelivery",
  schema: Delivery,
  fields: new Set(Object.keys(Delivery.shape)),
  key: record => Keys.webhookDelivery(record.workspace, record.id),
  indexes: record => ({
    list: { pk: listOf(record.workspace, record.webhookId), sk: record.id },
    ...(record.dueAt !== undefined && { due: Keys.outboxDue(record.id, record.dueAt) }),
  }),
  expiresAt: record => record.changedAt + KEPT,
};

/** A webhook's deliveries, in the order of their events. */
export const listOf = (workspace: string, webhookId: string): string =>
  Keys.list(workspace, `webhookdelivery#${webhookId}`, "").pk;

/** A delivery as the API shows it. */
export const Info = Delivery.omit({ workspace: true, body: true, dueAt: true, taken: true }).extend({
  nextAt: z.number().optional().meta({ description: "Epoch milliseconds of the next try; absent when it is over" }),
});
export type Info = z.infer<typeof Info>;

/** One of them, with what is sent. */
export const Details = Info.extend({ body: z.string() });
export type Details = z.infer<typeof Details>;

export const Param = z.object({
  delivery: z.string().regex(/^msg_[\w.]{1,80}$/, "expected an id like msg_01J…"),
});

export const info = ({ dueAt, ...delivery }: Delivery): Info =>
  Info.parse({ ...delivery, ...(dueAt !== undefined && { nextAt: dueAt }) });

/** In the order of events, since theirs begin with the time. */
export const idOf = (digest: Pick<Digest, "hash">, eventId: string, webhookId: string): string =>
  `msg_${eventId.replace(/^evt_/, "")}${digest.hash(`${webhookId} ${eventId}`).slice(0, 12)}`;

export const find = (table: Table, workspace: string, id: string): Promise<Stored<Delivery> | undefined> =>
  load(table, noun, Keys.webhookDelivery(workspace, id));

/** @throws MusterError `not_found`, also for another webhook's. */
export async function get(table: Table, workspace: string, webhookId: string, id: string): Promise<Stored<Delivery>> {
  const delivery = await find(table, workspace, id);
  if (delivery?.webhookId === webhookId) return delivery;
  throw new MusterError("not_found", `there is no delivery '${id}' of this webhook`, {
    hint: "see what there is with: muster webhooks deliveries NAME; each is kept for 30 days",
  });
}
