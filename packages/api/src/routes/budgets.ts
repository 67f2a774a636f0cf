import * as Budget from "@muster/core/budget/budget.ts";
import { route } from "../route.ts";

export const budgets = {
  "budgets.get": route({
    method: "GET",
    path: "/v1/budget",
    summary: "What the workspace's machines may cost per hour, and what they do",
    auth: "user",
    status: 200,
    output: Budget.Info,
    errors: [],
  }),
  "budgets.set": route({
    method: "PUT",
    path: "/v1/budget",
    summary: "Set what the workspace's machines may cost per hour",
    auth: "user",
    role: "admin",
    status: 200,
    body: Budget.Change,
    output: Budget.Info,
    errors: ["idempotency_mismatch"],
  }),
} as const;
