import * as Login from "@muster/core/login/login.ts";
import { route } from "../route.ts";

export const login = {
  "login.options": route({
    method: "GET",
    path: "/v1/login",
    summary: "The ways to sign in: issuers, and the clients of theirs that people's programs are",
    auth: "none",
    status: 200,
    query: Login.OptionsQuery,
    output: Login.Options,
    errors: [],
  }),
  // Neither has an idempotency key: the answer would be kept, and it holds the secret.
  "login.exchange": route({
    method: "POST",
    path: "/v1/login",
    summary:
      "Exchange an issuer's token for one of Muster's, which lives for an hour at most or as the issuer's rule says",
    auth: "none",
    status: 201,
    body: Login.Exchange,
    output: Login.SignedIn,
    errors: [],
  }),
  "login.aws": route({
    method: "POST",
    path: "/v1/login/aws",
    summary: "Exchange an AWS identity for a token of Muster's",
    auth: "iam",
    status: 201,
    body: Login.Aws,
    output: Login.SignedIn,
    errors: [],
  }),
} as const;
