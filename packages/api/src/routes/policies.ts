/** When a cluster stops or ends by itself, and who keeps it from that. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Hold from "@muster/core/cluster/hold.ts";
import { Kept } from "@muster/core/cluster/idle.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { ClusterParam } from "./common.ts";

const one = { auth: "user", status: 200, params: ClusterParam, output: Cluster.Info } as const;

export const policies = {
  "clusters.autostop": route({
    ...one,
    status: 202,
    method: "PUT",
    path: "/v1/clusters/{cluster}/autostop",
    summary: "Set when an idle cluster stops or ends",
    whose: "owner",
    role: "ci",
    body: z.strictObject({ idle: Kept }),
    errors: ["not_found", "conflict", "unsupported", "idempotency_mismatch"],
  }),
  "clusters.hold": route({
    ...one,
    method: "POST",
    path: "/v1/clusters/{cluster}/hold",
    summary: "Keep a cluster from its idle policy for some time; again: for longer",
    whose: "shared",
    role: "ci",
    body: Hold.Request,
    errors: ["not_found", "conflict", "forbidden", "idempotency_mismatch"],
  }),
  "clusters.release": route({
    ...one,
    method: "DELETE",
    path: "/v1/clusters/{cluster}/hold",
    summary: "Let its idle policy be followed again; who holds it, its owner and admins",
    whose: "owner",
    role: "ci",
    errors: ["not_found", "forbidden", "idempotency_mismatch"],
  }),
} as const;
