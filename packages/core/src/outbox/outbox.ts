/**
 * The outbox: what is done outside after a commit. Others are told of events; and what was taken in, or is to be sent, is
 * worked off when it is due. An entry may come twice, or late: whatever it asks for may be done twice.
 */
import * as z from "zod";
import { Event } from "../event/event.ts";
import type { Change, Item } from "../ports/table.ts";

/**
 * Types of records that have something to do outside while they have a `dueAt` (epoch ms). One that somebody has taken in
 * hand says so (`taken: true`): its `dueAt` is then when it is given up.
 */
export const DUE_TYPES = ["hookdelivery", "hookwatch", "webhookdelivery", "report", "auditday"] as const;
export type DueType = (typeof DUE_TYPES)[number];

/** What a change asks to be done outside; as data, because it is queued, and one that failed is kept. */
export const Entry = z.discriminatedUnion("do", [
  z.object({ do: z.literal("relay"), workspace: z.string(), event: Event }),
  z.object({
    do: z.literal("deliver"),
    type: z.enum(DUE_TYPES),
    workspace: z.string(),
    id: z.string(),
    /** Epoch ms: not before that. */
    dueAt: z.number(),
  }),
  z.object({ do: z.literal("retry"), workspace: z.string(), id: z.string() }),
]);
export type Entry = z.infer<typeof Entry>;

/** A record that is due, without what is in it. */
export type Ref = Pick<Extract<Entry, { do: "deliver" }>, "type" | "workspace" | "id">;

/** Is this, kept with a dead letter, an entry of the outbox? */
export const isEntry = (kept: unknown): boolean => Entry.safeParse(kept).success;

/** Pure, so that a stream's filter and a test can ask it too. */
export function entryFor(change: Change): Entry | undefined {
  if ("removed" in change) return undefined;
  const { item } = change;
  if (item.type === "event") return { do: "relay", workspace: workspaceOfEvent(item), event: Event.parse(item.data) };
  if (item.type === "deadletter") return entryForLetter(item);
  // Until it is given up, whoever took it sees to it; then the sweep finds it.
  return item.data.taken === true ? undefined : entryForDue(item);
}

/** A record that is done has no time at which something must be done. */
export function entryForDue({ type, data }: Pick<Item, "type" | "data">): Entry | undefined {
  const due = DUE_TYPES.find(known => known === type);
  if (due === undefined || typeof data.dueAt !== "number") return undefined;
  return { do: "deliver", type: due, workspace: String(data.workspace), id: String(data.id), dueAt: data.dueAt };
}

/** Somebody wants it tried anew. */
function entryForLetter({ data }: Item): Entry | undefined {
  if (data.replayedAt === undefined || !isEntry(data.ring)) return undefined;
  return { do: "retry", workspace: String(data.workspace), id: String(data.id) };
}

/** Most nouns have it in their key; the event of one that has not says it itself. */
function workspaceOfEvent({ pk, data }: Item): string {
  const [first, workspace = ""] = pk.split("#");
  return first === "W" ? workspace : String(data.workspace ?? "");
}

/** What the entry is about: the same thing is not done twice at once. */
export function subjectOf(entry: Entry): string {
  if (entry.do === "relay") return `event ${entry.workspace} ${entry.event.id}`;
  if (entry.do === "retry") return `letter ${entry.workspace} ${entry.id}`;
  return `${entry.type} ${entry.workspace} ${entry.id}`;
}
