/** A workspace's webhooks, and what was delivered to each. */
import type { Actor } from "../actor/actor.ts";
import type { Event } from "../event/event.ts";
import { type EventsRequest, eventsOf } from "../event/read.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Delivery from "./delivery.ts";
import * as Webhook from "./webhook.ts";

type Part = { readonly table: Table };

/** By name. */
export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Webhook.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.webhooks(actor.workspace), prefix: Keys.WEBHOOK }, request, item =>
    Webhook.Info.parse(glimpse(Webhook.noun, item)),
  );

/** @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, reference: string): Promise<Webhook.Info> =>
  Webhook.Info.parse(await Webhook.get(world.table, actor.workspace, reference));

/** Its history, oldest first unless the latest are asked for. @throws MusterError `not_found`. */
export async function events(
  world: Part,
  actor: Actor,
  reference: string,
  request: EventsRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  return eventsOf(world, Webhook.noun.key(await Webhook.get(world.table, actor.workspace, reference)), request);
}

export interface DeliveriesRequest extends PageRequest {
  readonly outcome?: Delivery.Outcome | "pending" | undefined;
}

/** Of the latest events first. From an index: one that was made this instant may be missing. @throws MusterError `not_found`. */
export async function deliveries(
  world: Part,
  actor: Actor,
  reference: string,
  { outcome, ...request }: DeliveriesRequest,
): Promise<{ items: Delivery.Info[]; cursor?: string }> {
  const { id } = await Webhook.get(world.table, actor.workspace, reference);
  const source = { pk: Delivery.listOf(actor.workspace, id), index: "list", order: "descending" } as const;
  return listed(world.table, source, request, item => {
    const delivery = glimpse(Delivery.noun, item);
    const isWanted = outcome === undefined || outcome === (delivery.outcome ?? "pending");
    return isWanted ? Delivery.info(delivery) : undefined;
  });
}

/** @throws MusterError `not_found`. */
export async function delivery(world: Part, actor: Actor, reference: string, id: string): Promise<Delivery.Details> {
  const webhook = await Webhook.get(world.table, actor.workspace, reference);
  const found = await Delivery.get(world.table, actor.workspace, webhook.id, id);
  return { ...Delivery.info(found), body: found.body };
}
