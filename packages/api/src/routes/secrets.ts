import * as Secret from "@muster/core/secret/secret.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Secret.NameParam, output: Secret.Info } as const;

/** Values go in and never come out: whoever may run jobs may use them, and a job can tell whoever sees its log. */
export const secrets = {
  "secrets.set": route({
    ...one,
    method: "PUT",
    path: "/v1/secrets/{name}",
    summary: "Set a secret of the workspace, for jobs that name it; members and admins",
    role: "member",
    body: Secret.Value,
    errors: ["quota_exceeded", "idempotency_mismatch"],
  }),
  "secrets.list": route({
    method: "GET",
    path: "/v1/secrets",
    summary: "The names of the workspace's secrets, in their order; values are never shown",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Secret.Info),
    errors: [],
  }),
  "secrets.remove": route({
    ...one,
    method: "DELETE",
    path: "/v1/secrets/{name}",
    summary: "Remove a secret, its value included; jobs that wait for it will not begin; members and admins",
    role: "member",
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
