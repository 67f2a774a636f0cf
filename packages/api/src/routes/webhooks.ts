import { Event } from "@muster/core/event/event.ts";
import * as Delivery from "@muster/core/webhook/delivery.ts";
import * as Webhook from "@muster/core/webhook/webhook.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { EventsQuery, PageQuery, page } from "./common.ts";

/** Its URL may be a secret: whoever has Slack's may write to the channel. */
const ours = { auth: "user", role: "admin" } as const;
const one = { ...ours, status: 200, params: Webhook.Param } as const;
const turned = { ...one, output: Webhook.Info, errors: ["not_found", "idempotency_mismatch"] } as const;
const params = Webhook.Param.extend(Delivery.Param.shape);

export const webhooks = {
  "webhooks.create": route({
    ...ours,
    method: "POST",
    path: "/v1/webhooks",
    summary: "Make a webhook: an address that is told of events; the answer alone has its secret",
    status: 201,
    body: Webhook.Create,
    output: Webhook.Created,
    errors: ["name_taken", "quota_exceeded"],
  }),
  "webhooks.list": route({
    ...ours,
    method: "GET",
    path: "/v1/webhooks",
    summary: "The workspace's webhooks, by name",
    status: 200,
    query: PageQuery,
    output: page(Webhook.Info),
    errors: [],
  }),
  "webhooks.get": route({
    ...one,
    method: "GET",
    path: "/v1/webhooks/{webhook}",
    summary: "Read one webhook",
    output: Webhook.Info,
    errors: ["not_found"],
  }),
  "webhooks.set": route({
    ...turned,
    method: "PUT",
    path: "/v1/webhooks/{webhook}",
    summary: "Set where a webhook leads, and what it is told",
    body: Webhook.Change,
  }),
  "webhooks.remove": route({
    ...turned,
    method: "DELETE",
    path: "/v1/webhooks/{webhook}",
    summary: "Remove a webhook; what was not delivered is dropped",
  }),
  "webhooks.enable": route({
    ...turned,
    method: "POST",
    path: "/v1/webhooks/{webhook}/enable",
    summary: "Let a webhook that was disabled go on from now",
  }),
  "webhooks.disable": route({
    ...turned,
    method: "POST",
    path: "/v1/webhooks/{webhook}/disable",
    summary: "Disable a webhook: what happens meanwhile is not delivered later",
  }),
  "webhooks.rotate": route({
    ...one,
    method: "POST",
    path: "/v1/webhooks/{webhook}/rotate",
    summary: "Give a webhook a new secret; the one before signs as well for 24 hours, unless it must not",
    query: z.object({
      now: z.stringbool().optional().meta({ description: "The one before signs no more from now on" }),
    }),
    output: Webhook.Created,
    errors: ["not_found"],
  }),
  "webhooks.test": route({
    ...one,
    method: "POST",
    path: "/v1/webhooks/{webhook}/test",
    summary: "Send a webhook an event of the kind webhook.test, once",
    status: 202,
    output: Delivery.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "webhooks.events": route({
    ...one,
    method: "GET",
    path: "/v1/webhooks/{webhook}/events",
    summary: "A webhook's history, oldest first",
    query: EventsQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
  "webhooks.deliveries": route({
    ...one,
    method: "GET",
    path: "/v1/webhooks/{webhook}/deliveries",
    summary: "What was sent to a webhook in the last 30 days, of the latest events first",
    query: PageQuery.extend({
      outcome: z
        .enum(["pending", ...Delivery.Outcome.options])
        .optional()
        .meta({ description: "Only those that came to this; pending: under way" }),
    }),
    output: page(Delivery.Info),
    errors: ["not_found"],
  }),
  "webhooks.delivery": route({
    ...one,
    method: "GET",
    path: "/v1/webhooks/{webhook}/deliveries/{delivery}",
    summary: "Read one delivery, with what is sent",
    params,
    output: Delivery.Details,
    errors: ["not_found"],
  }),
  "webhooks.replay": route({
    ...one,
    method: "POST",
    path: "/v1/webhooks/{webhook}/deliveries/{delivery}/replay",
    summary: "Deliver anew: with the same id and the same body, and all tries before it",
    params,
    status: 202,
    output: Delivery.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
} as const;
