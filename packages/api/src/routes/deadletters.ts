import * as DeadLetter from "@muster/core/deadletter/deadletter.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", role: "admin", params: DeadLetter.IdParam, output: DeadLetter.Info } as const;

export const deadLetters = {
  "deadLetters.list": route({
    method: "GET",
    path: "/v1/deadletters",
    summary: "What failed three times and was put aside; for admins",
    auth: "user",
    role: "admin",
    status: 200,
    query: PageQuery,
    output: page(DeadLetter.Info),
    errors: [],
  }),
  "deadLetters.get": route({
    ...one,
    method: "GET",
    path: "/v1/deadletters/{letter}",
    summary: "Read one dead letter",
    status: 200,
    errors: ["not_found"],
  }),
  "deadLetters.replay": route({
    ...one,
    method: "POST",
    path: "/v1/deadletters/{letter}/replay",
    summary: "Have it tried anew: it goes when it is done, and stays when it fails three times more",
    status: 202,
    errors: ["not_found", "unsupported", "idempotency_mismatch"],
  }),
  "deadLetters.drop": route({
    ...one,
    method: "DELETE",
    path: "/v1/deadletters/{letter}",
    summary: "Forget one dead letter: it is not tried anew",
    status: 200,
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
