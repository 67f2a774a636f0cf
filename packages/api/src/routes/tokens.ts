import * as List from "@muster/core/token/list.ts";
import * as Token from "@muster/core/token/token.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

export const tokens = {
  "tokens.whoami": route({
    method: "GET",
    path: "/v1/whoami",
    summary: "Whose token this is",
    auth: "user",
    role: "viewer",
    status: 200,
    output: Token.Whoami,
    errors: [],
  }),
  // Without an idempotency key: the answer would be kept, and it holds the secret.
  "tokens.create": route({
    method: "POST",
    path: "/v1/tokens",
    summary: "Make a token; its text is told this once",
    auth: "user",
    role: "admin",
    status: 201,
    body: Token.Create,
    output: Token.Created,
    errors: ["not_found"],
  }),
  "tokens.list": route({
    method: "GET",
    path: "/v1/tokens",
    summary: "The workspace's tokens, newest first; whoever is no admin sees their own",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery.extend(List.Query.shape),
    output: page(Token.Info),
    errors: ["not_found"],
  }),
  "tokens.revoke": route({
    method: "DELETE",
    path: "/v1/tokens/{token}",
    summary: "Revoke a token; whoever is no admin their own",
    whose: "owner",
    auth: "user",
    role: "viewer",
    status: 200,
    params: Token.TokenParam,
    query: Token.Revoke,
    output: Token.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "tokens.bootstrap": route({
    method: "POST",
    path: "/v1/bootstrap",
    summary: "Make an admin's token with the AWS account's own credentials",
    auth: "iam",
    status: 201,
    body: Token.Bootstrap,
    output: Token.Created,
    errors: [],
  }),
} as const;
