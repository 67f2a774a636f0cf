import * as Issuer from "@muster/core/issuer/issuer.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", role: "admin", status: 200, params: Issuer.NameParam, output: Issuer.Info } as const;

export const issuers = {
  "issuers.set": route({
    ...one,
    method: "PUT",
    path: "/v1/issuers/{name}",
    summary: "Set whom to believe when people and programs sign in, and what they become here",
    body: Issuer.Change,
    errors: ["not_found", "quota_exceeded", "idempotency_mismatch"],
  }),
  "issuers.list": route({
    method: "GET",
    path: "/v1/issuers",
    summary: "The workspace's issuers, by name",
    auth: "user",
    role: "admin",
    status: 200,
    query: PageQuery,
    output: page(Issuer.Info),
    errors: [],
  }),
  "issuers.get": route({
    ...one,
    method: "GET",
    path: "/v1/issuers/{name}",
    summary: "Read one issuer",
    errors: ["not_found"],
  }),
  "issuers.remove": route({
    ...one,
    method: "DELETE",
    path: "/v1/issuers/{name}",
    summary: "Remove an issuer: nobody signs in by it any more, and tokens that it led to end by themselves",
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
