/** Events: one line each of a noun's history, written in the transaction that changed it. Also the audit log. */
import * as z from "zod";
import type { Draft, Key } from "../ports/table.ts";

export const Event = z.object({
  id: z.string(),
  /** Epoch ms. */
  at: z.number(),
  /** Id of the noun it happened to. */
  subject: z.string(),
  /** The noun and the state it came to, such as `job.running`. */
  kind: z.string(),
  /** The state it left; absent when it came to be. */
  from: z.string().optional(),
  /** The cluster that it concerns. */
  clusterId: z.string().optional(),
  /** Who did it: a user's id, a host's, or `system`. */
  actor: z.string(),
  message: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Event = z.infer<typeof Event>;

export const PREFIX = "E#";

/** The event's item, in the partition of the noun it belongs to. */
export const draft = (owner: Key, event: Event): Draft => ({
  pk: owner.pk,
  sk: `${PREFIX}${owner.sk}#${event.id}`,
  type: "event",
  data: event,
});
