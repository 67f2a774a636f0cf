import * as Delivery from "@muster/core/hook/delivery.ts";
import * as Hook from "@muster/core/hook/hook.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Hook.Param } as const;
const owned = { ...one, role: "member", whose: "owner" } as const;

export const hooks = {
  // Without an idempotency key: the answer would be kept, and it holds the secret.
  "hooks.create": route({
    method: "POST",
    path: "/v1/hooks",
    summary: "Make a hook, which launches in the name of who makes it; its secret is told this once",
    auth: "user",
    role: "member",
    status: 201,
    body: Hook.Create,
    output: Hook.Created,
    errors: ["not_found", "name_taken", "quota_exceeded"],
  }),
  "hooks.list": route({
    method: "GET",
    path: "/v1/hooks",
    summary: "The workspace's hooks, by name",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Hook.Info),
    errors: [],
  }),
  "hooks.get": route({
    ...one,
    method: "GET",
    path: "/v1/hooks/{hook}",
    summary: "Read one hook, with its rules",
    role: "viewer",
    output: Hook.Details,
    errors: ["not_found", "conflict"],
  }),
  "hooks.set": route({
    ...owned,
    method: "PUT",
    path: "/v1/hooks/{hook}",
    summary: "Set a hook anew; from now on it launches in the name of who sets it; its address and secret stay",
    body: Hook.Change,
    output: Hook.Info,
    errors: ["not_found", "idempotency_mismatch"],
  }),
  // As where it is made.
  "hooks.rotate": route({
    ...owned,
    method: "POST",
    path: "/v1/hooks/{hook}/rotate",
    summary: "Give a hook a new secret, told this once; the one before is good for another day",
    body: Hook.Rotate,
    output: Hook.Created,
    errors: ["not_found"],
  }),
  "hooks.remove": route({
    ...owned,
    method: "DELETE",
    path: "/v1/hooks/{hook}",
    summary: "Remove a hook; what it launched goes on",
    output: Hook.Info,
    errors: ["not_found", "idempotency_mismatch"],
  }),
  "hooks.deliveries": route({
    ...one,
    method: "GET",
    path: "/v1/hooks/{hook}/deliveries",
    summary: "What a hook was sent in the last 30 days, newest first, and what became of it",
    role: "viewer",
    query: PageQuery.extend({
      state: Delivery.Info.shape.state.optional().meta({ description: "Only those in this state" }),
    }),
    output: page(Delivery.Info),
    errors: ["not_found"],
  }),
  "hooks.delivery": route({
    method: "GET",
    path: "/v1/hooks/{hook}/deliveries/{delivery}",
    summary: "Read one delivery, with what it says as rules see it",
    auth: "user",
    role: "viewer",
    status: 200,
    params: Delivery.Param,
    output: Delivery.Details,
    errors: ["not_found"],
  }),
  "hooks.replay": route({
    method: "POST",
    path: "/v1/hooks/{hook}/deliveries/{delivery}/replay",
    summary: "Look at a delivery once more, by the rules of now: what they say is launched is launched anew",
    auth: "user",
    role: "member",
    whose: "owner",
    status: 202,
    params: Delivery.Param,
    output: Delivery.Info,
    errors: ["not_found", "idempotency_mismatch"],
  }),
  "hooks.approve": route({
    method: "POST",
    path: "/v1/hooks/{hook}/deliveries/{delivery}/approve",
    summary: "Approve of the stranger's commit that a delivery is about: what waits for that is looked at once more",
    auth: "user",
    role: "admin",
    status: 202,
    params: Delivery.Param,
    output: Delivery.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
} as const;

/** Bytes of what a hook may be sent: a gateway hands 6 MB on, as JSON. */
const MOST_BYTES = 5_000_000;

/** For whoever has no token, and a hook's secret. */
export const receiving = {
  "hooks.receive": route({
    method: "POST",
    path: "/v1/hooks/{hook}",
    summary: "Send an event to a hook, signed with its secret; the answer comes before anything is done",
    auth: "none",
    status: 202,
    // Whatever it is: an unknown one is answered as a wrong signature is.
    params: z.object({ hook: z.string().meta({ description: "Id of the hook" }) }),
    raw: MOST_BYTES,
    output: z.object({
      delivery: z.string().meta({ description: "Id of the delivery; the first one's, where it had come before" }),
      duplicate: z.boolean(),
    }),
    errors: [],
  }),
} as const;
