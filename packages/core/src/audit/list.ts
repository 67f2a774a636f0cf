/** Reading the audit: the newest first, day by day. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import * as Cursor from "../cursor.ts";
import { Event } from "../event/event.ts";
import * as Keys from "../keys.ts";
import { filtered, type PageRequest } from "../page.ts";
import type { Digest } from "../ports/ports.ts";
import type { Page, Sighting } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import * as Audit from "./audit.ts";

/** How far back it goes unless more is asked for, in ms. */
const SPAN = 30 * 24 * 3_600_000;

const at = z.coerce.number().int().min(0).max(8_640_000_000_000_000).optional();
const text = z.string().min(1).max(200).optional();

export const Query = z.object({
  since: at.meta({ description: "Epoch milliseconds; absent: 30 days before the end. It is kept for 400 days" }),
  until: at.meta({ description: "Epoch milliseconds; absent: now" }),
  actor: text.meta({ description: "Only what this person or program did" }),
  token: text.meta({ description: "Only what was done with the token of this id" }),
  subject: text.meta({ description: "Only what happened to the noun of this id" }),
});
type Query = z.infer<typeof Query>;

/** Where a page goes on: a day, and where in it. */
type Position = { readonly day: string; readonly cursor?: string };

/**
 * A page looks at a thousand lines at most, and may hold none and not be the last.
 * @throws MusterError `invalid_request` for a cursor that is not of this query.
 */
export async function list(
  world: Pick<World, "table" | "clock"> & { readonly digest: Digest },
  actor: Pick<Actor, "workspace">,
  { cursor, limit, ...query }: PageRequest & Query,
): Promise<{ items: Event[]; cursor?: string }> {
  const now = world.clock.now();
  const until = Math.min(query.until ?? now, now);
  const since = Math.max(query.since ?? until - SPAN, now - Audit.KEPT);
  const of = { pk: Keys.audited(actor.workspace, ""), prefix: JSON.stringify(Object.entries(query).sort()) };
  const read = async (from: string | undefined, most: number): Promise<Page<Sighting>> => {
    const { day, cursor: inner } =
      from === undefined ? { day: Audit.dayOf(until) } : (Cursor.open(world.digest, of, from) as Position);
    const pk = Keys.audited(actor.workspace, day);
    const range = { pk, order: "descending", limit: most } as const;
    const page = await world.table.query({ ...range, ...(inner !== undefined && { cursor: inner }) });
    const next = following(day, page.cursor, since);
    return { items: page.items, ...(next && { cursor: Cursor.seal(world.digest, of, next) }) };
  };
  const isAsked = ({ actor, via, subject, at }: Event): boolean =>
    at >= since &&
    at <= until &&
    fits(query.actor, actor) &&
    fits(query.token, via?.token) &&
    fits(query.subject, subject);
  return filtered(read, limit, cursor, item => {
    const event = Event.parse(item.data);
    return isAsked(event) ? event : undefined;
  });
}

const fits = (asked: string | undefined, is: string | undefined): boolean => asked === undefined || asked === is;

function following(day: string, cursor: string | undefined, since: number): Position | undefined {
  if (cursor !== undefined) return { day, cursor };
  return Audit.startOf(day) > since ? { day: Audit.dayBefore(day) } : undefined;
}
