import { Event } from "@muster/core/event/event.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import * as Schedule from "@muster/core/schedule/schedule.ts";
import { route } from "../route.ts";
import { EventsQuery, PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Schedule.NameParam } as const;
const turned = { ...one, role: "member", output: Schedule.Info } as const;

export const schedules = {
  "schedules.set": route({
    ...turned,
    method: "PUT",
    path: "/v1/schedules/{name}",
    summary: "Set a schedule: a launch that comes again and again, in the name of who sets it; members and admins",
    whose: "owner",
    body: Schedule.Change,
    errors: ["not_found", "quota_exceeded", "idempotency_mismatch"],
  }),
  "schedules.list": route({
    method: "GET",
    path: "/v1/schedules",
    summary: "The workspace's schedules, by name",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Schedule.Info),
    errors: [],
  }),
  "schedules.get": route({
    ...one,
    method: "GET",
    path: "/v1/schedules/{name}",
    summary: "Read one schedule, with its next times",
    role: "viewer",
    output: Schedule.Details,
    errors: ["not_found"],
  }),
  "schedules.events": route({
    ...one,
    method: "GET",
    path: "/v1/schedules/{name}/events",
    summary: "A schedule's history of the last 30 days, oldest first",
    role: "viewer",
    query: EventsQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
  "schedules.pause": route({
    ...turned,
    method: "POST",
    path: "/v1/schedules/{name}/pause",
    summary: "Pause a schedule: times that come meanwhile are left out; its owner and admins",
    whose: "owner",
    errors: ["not_found", "idempotency_mismatch"],
  }),
  "schedules.resume": route({
    ...turned,
    method: "POST",
    path: "/v1/schedules/{name}/resume",
    summary: "Let a paused schedule go on from its next time; its owner and admins",
    whose: "owner",
    errors: ["not_found", "idempotency_mismatch"],
  }),
  "schedules.run": route({
    ...one,
    method: "POST",
    path: "/v1/schedules/{name}/run",
    summary: "Launch now what a schedule launches; its owner and admins",
    whose: "owner",
    role: "member",
    status: 202,
    output: Launch.Info,
    errors: [
      "not_found",
      "name_taken",
      "no_offer",
      "quota_exceeded",
      "over_budget",
      "frozen",
      "unsupported",
      "conflict",
      "cluster_busy",
      "idempotency_mismatch",
    ],
  }),
  "schedules.remove": route({
    ...turned,
    method: "DELETE",
    path: "/v1/schedules/{name}",
    summary: "Remove a schedule; what it launched goes on; its owner and admins",
    whose: "owner",
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
