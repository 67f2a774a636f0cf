/** Reading a history. */
import { mapped } from "../page.ts";
import type { Table } from "../ports/table.ts";
import * as Event from "./event.ts";

export interface EventsRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** From the last on, instead of the first. */
  readonly latest?: boolean | undefined;
}

/** A noun's history, oldest first unless the latest are asked for. @param owner its key */
export async function eventsOf(
  world: { readonly table: Table },
  owner: { readonly pk: string; readonly sk: string },
  request: EventsRequest,
): Promise<{ items: Event.Event[]; cursor?: string }> {
  const page = await world.table.query({
    pk: owner.pk,
    prefix: `${Event.PREFIX}${owner.sk}#`,
    limit: request.limit,
    ...(request.latest && { order: "descending" }),
    ...(request.cursor !== undefined && { cursor: request.cursor }),
  });
  return mapped(page, item => Event.Event.parse(item.data));
}
