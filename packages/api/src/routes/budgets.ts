import * as Budget from "@muster/core/budget/budget.ts";
import * as Freeze from "@muster/core/budget/freeze.ts";
import * as Costs from "@muster/core/cost/read.ts";
import { Event } from "@muster/core/event/event.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

export const budgets = {
  "budgets.get": route({
    method: "GET",
    path: "/v1/budget",
    summary: "What the workspace's machines, or a user's, may cost, and what they do",
    auth: "user",
    role: "viewer",
    status: 200,
    query: Budget.Query,
    output: Budget.Info,
    errors: [],
  }),
  "budgets.set": route({
    method: "PUT",
    path: "/v1/budget",
    summary: "Set what the workspace's machines, or a user's, may cost",
    auth: "user",
    role: "admin",
    status: 200,
    body: Budget.Change,
    output: Budget.Info,
    errors: ["idempotency_mismatch"],
  }),
  "budgets.events": route({
    method: "GET",
    path: "/v1/budget/events",
    summary: "What happened to the workspace's budgets, oldest first",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Event),
    errors: [],
  }),
  "costs.get": route({
    method: "GET",
    path: "/v1/costs",
    summary: "What a month has cost, by user, cluster, job or label",
    auth: "user",
    role: "viewer",
    status: 200,
    query: Costs.Query,
    output: Costs.Costs,
    errors: [],
  }),
  "freeze.set": route({
    method: "PUT",
    path: "/v1/freeze",
    summary: "Let nothing begin any more, and stop what runs where that is asked for; or let things begin again",
    auth: "user",
    role: "admin",
    status: 200,
    body: Freeze.Request,
    output: Budget.Info,
    errors: ["idempotency_mismatch"],
  }),
} as const;
