import * as Quota from "@muster/core/quota/info.ts";
import { route } from "../route.ts";

export const quotas = {
  "quotas.get": route({
    method: "GET",
    path: "/v1/quotas",
    summary: "How much of each kind the workspace may have at a time, and how much it has",
    auth: "user",
    role: "viewer",
    status: 200,
    output: Quota.Info,
    errors: [],
  }),
  "quotas.set": route({
    method: "PUT",
    path: "/v1/quotas",
    summary: "Set how much of each kind the workspace may have at a time",
    auth: "user",
    role: "admin",
    status: 200,
    body: Quota.Change,
    output: Quota.Info,
    errors: ["idempotency_mismatch"],
  }),
} as const;
