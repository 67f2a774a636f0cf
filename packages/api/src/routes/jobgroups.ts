import * as JobGroup from "@muster/core/jobgroup/jobgroup.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { MAKING } from "./common.ts";

export const jobGroups = {
  "jobGroups.create": route({
    method: "POST",
    path: "/v1/job-groups",
    summary: "Launch several tasks at the same time, each on hosts of its own of a new cluster",
    auth: "user",
    role: "ci",
    status: 202,
    body: JobGroup.Create,
    output: JobGroup.Launched,
    errors: [...MAKING, "idempotency_mismatch"],
  }),
  "jobGroups.get": route({
    method: "GET",
    path: "/v1/job-groups/{group}",
    summary: "Read one job group",
    auth: "user",
    role: "viewer",
    status: 200,
    params: z.object({ group: z.string().min(1).max(63).meta({ description: "Id of the job group" }) }),
    output: JobGroup.Info,
    errors: ["not_found"],
  }),
} as const;
