import * as Token from "@muster/core/token/token.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

export const tokens = {
  "tokens.whoami": route({
    method: "GET",
    path: "/v1/whoami",
    summary: "Whose token this is",
    auth: "user",
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
    errors: [],
  }),
  "tokens.list": route({
    method: "GET",
    path: "/v1/tokens",
    summary: "The workspace's tokens, newest first",
    auth: "user",
    role: "admin",
    status: 200,
    query: PageQuery,
    output: page(Token.Info),
    errors: [],
  }),
  "tokens.revoke": route({
    method: "DELETE",
    path: "/v1/tokens/{token}",
    summary: "Revoke a token",
    auth: "user",
    role: "admin",
    status: 200,
    params: Token.TokenParam,
    output: Token.Info,
    errors: ["not_found", "idempotency_mismatch"],
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
