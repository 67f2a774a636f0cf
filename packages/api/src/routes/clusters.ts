import * as Cluster from "@muster/core/cluster/cluster.ts";
import { Event } from "@muster/core/event/event.ts";
import * as Host from "@muster/core/host/host.ts";
import * as Command from "@muster/core/job/command.ts";
import * as Job from "@muster/core/job/job.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { ClusterParam, MAKING, PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 202, params: ClusterParam, output: Cluster.Info } as const;

export const clusters = {
  "clusters.create": route({
    method: "POST",
    path: "/v1/clusters",
    summary: "Create a cluster, or find the one of this name",
    auth: "user",
    role: "ci",
    status: 202,
    body: Cluster.Create,
    output: Cluster.Info,
    errors: [...MAKING, "idempotency_mismatch"],
  }),
  "clusters.list": route({
    method: "GET",
    path: "/v1/clusters",
    summary: "List clusters, newest first",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery.extend({ all: z.stringbool().default(false).meta({ description: "Also those that have ended" }) }),
    output: page(Cluster.Info),
    errors: [],
  }),
  "clusters.get": route({
    method: "GET",
    path: "/v1/clusters/{cluster}",
    summary: "Read one cluster",
    auth: "user",
    role: "viewer",
    status: 200,
    params: ClusterParam,
    output: Cluster.Info,
    errors: ["not_found"],
  }),
  "clusters.start": route({
    ...one,
    method: "POST",
    path: "/v1/clusters/{cluster}/start",
    summary: "Start a stopped cluster",
    whose: "shared",
    role: "ci",
    query: z.strictObject({
      move: z.stringbool().default(false).meta({ description: "On other machines, wherever there are some" }),
    }),
    errors: [
      "over_budget",
      "quota_exceeded",
      "frozen",
      "not_found",
      "conflict",
      "unsupported",
      "forbidden",
      "idempotency_mismatch",
    ],
  }),
  "clusters.stop": route({
    ...one,
    method: "POST",
    path: "/v1/clusters/{cluster}/stop",
    summary: "Stop a cluster and keep its disks",
    whose: "owner",
    role: "ci",
    query: z.strictObject({
      now: z.stringbool().default(false).meta({ description: "Without its idle policy's hook, if it has one" }),
    }),
    errors: ["not_found", "conflict", "unsupported", "idempotency_mismatch"],
  }),
  "clusters.remove": route({
    ...one,
    method: "DELETE",
    path: "/v1/clusters/{cluster}",
    summary: "Cancel a cluster's jobs and terminate its hosts",
    whose: "owner",
    role: "ci",

    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "clusters.exec": route({
    method: "POST",
    path: "/v1/clusters/{cluster}/commands",
    summary: "Run commands on a cluster's hosts at once, beside whatever runs there; a job tells how they ended",
    whose: "shared",
    auth: "user",
    role: "ci",
    status: 202,
    params: ClusterParam,
    body: Command.Create,
    output: Job.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "clusters.events": route({
    method: "GET",
    path: "/v1/clusters/{cluster}/events",
    summary: "A cluster's history, oldest first",
    auth: "user",
    role: "viewer",
    status: 200,
    params: ClusterParam,
    query: PageQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
  "clusters.hosts": route({
    method: "GET",
    path: "/v1/clusters/{cluster}/hosts",
    summary: "A cluster's hosts, by rank",
    auth: "user",
    role: "viewer",
    status: 200,
    params: ClusterParam,
    query: PageQuery,
    output: page(Host.Info),
    errors: ["not_found"],
  }),
} as const;
