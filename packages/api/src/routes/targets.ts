import * as Target from "@muster/core/target/target.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Target.NameParam, output: Target.Info } as const;

export const targets = {
  "targets.set": route({
    ...one,
    method: "PUT",
    path: "/v1/targets/{name}",
    summary: "Set a target: a provider and what is asked of its machines, under a name; members and admins",
    role: "member",
    body: Target.Change,
    errors: ["unsupported", "quota_exceeded", "idempotency_mismatch"],
  }),
  "targets.list": route({
    method: "GET",
    path: "/v1/targets",
    summary: "The workspace's targets, by name",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Target.Info),
    errors: [],
  }),
  "targets.get": route({
    ...one,
    method: "GET",
    path: "/v1/targets/{name}",
    summary: "Read one target",
    role: "viewer",
    errors: ["not_found"],
  }),
  "targets.remove": route({
    ...one,
    method: "DELETE",
    path: "/v1/targets/{name}",
    summary: "Remove a target; clusters that were made with it stay; members and admins",
    role: "member",
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
