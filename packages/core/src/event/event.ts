/** Events: one line each of a noun's history, written in the transaction that changed it. Also the audit log. */
import * as z from "zod";
import { type By, Via } from "../actor/actor.ts";
import type { Clock, Random } from "../ports/ports.ts";
import type { Draft, Key, Write } from "../ports/table.ts";

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
  /** How the request came that caused it; absent: no user's request did. */
  via: Via.optional(),
  message: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Event = z.infer<typeof Event>;

export const PREFIX = "E#";

/** An event but for who caused it: that is the actor's, whole. */
export type Happened = Omit<Event, "actor" | "via">;

/** The event's item, in the partition of the noun it belongs to. @param by who caused it, and how their request came */
export const draft = (owner: Key, by: By, event: Happened): Draft => ({
  pk: owner.pk,
  sk: `${PREFIX}${owner.sk}#${event.id}`,
  type: "event",
  data: { ...event, actor: by.id, ...(by.via && { via: by.via }) },
});

type Part = { readonly clock: Clock; readonly random: Pick<Random, "ulid"> };
type Put = Extract<Write, { readonly put: Draft }>;

/** The write of an event that happens now: in the transaction that makes it so. */
export const happens = ({ clock, random }: Part, owner: Key, by: By, what: Omit<Happened, "id" | "at">): Put => ({
  put: draft(owner, by, { id: `evt_${random.ulid()}`, at: clock.now(), ...what }),
  expect: "absent",
});

/** As it is where the key does not say in which workspace it happened. */
export const within = (workspace: string, { put, expect }: Put): Put => ({
  put: { ...put, data: { ...put.data, workspace } },
  expect,
});
