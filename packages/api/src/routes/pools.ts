import { Event } from "@muster/core/event/event.ts";
import * as Pool from "@muster/core/pool/info.ts";
import { route } from "../route.ts";
import { EventsQuery, PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Pool.NameParam } as const;
const changed = { ...one, role: "member", output: Pool.Info } as const;

export const pools = {
  "pools.set": route({
    ...changed,
    method: "PUT",
    path: "/v1/pools/{name}",
    summary:
      "Set a pool: clusters of one kind that are kept ready, made in the name of who sets it; members and admins",
    whose: "owner",
    body: Pool.Change,
    errors: ["not_found", "conflict", "no_offer", "quota_exceeded", "unsupported", "idempotency_mismatch"],
  }),
  "pools.list": route({
    method: "GET",
    path: "/v1/pools",
    summary: "The workspace's pools, by name",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Pool.Info),
    errors: [],
  }),
  "pools.get": route({
    ...one,
    method: "GET",
    path: "/v1/pools/{name}",
    summary: "Read one pool, with its members",
    role: "viewer",
    output: Pool.Details,
    errors: ["not_found"],
  }),
  "pools.events": route({
    ...one,
    method: "GET",
    path: "/v1/pools/{name}/events",
    summary: "A pool's history of the last 30 days, oldest first",
    role: "viewer",
    query: EventsQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
  "pools.resize": route({
    ...changed,
    method: "PUT",
    path: "/v1/pools/{name}/size",
    summary: "Say how many clusters a pool keeps, until its next change of size; its owner and admins",
    whose: "owner",
    body: Pool.Resize,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "pools.remove": route({
    ...changed,
    method: "DELETE",
    path: "/v1/pools/{name}",
    summary: "Remove a pool and its clusters; what was taken from it stays; its owner and admins",
    whose: "owner",
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
