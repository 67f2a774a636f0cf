import * as Cluster from "@muster/core/cluster/cluster.ts";
import { Event } from "@muster/core/event/event.ts";
import { Filter } from "@muster/core/job/filter.ts";
import * as Job from "@muster/core/job/job.ts";
import { LogText, LogTextQuery } from "@muster/core/job/log-text.ts";
import { LogPage, LogQuery } from "@muster/core/job/logs.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import * as z from "zod";
import { route } from "../route.ts";
import { ClusterParam, JobParam, MAKING, PageQuery, page } from "./common.ts";

const ClusterJobs = { auth: "user", params: ClusterParam } as const;

export const jobs = {
  "launches.create": route({
    method: "POST",
    path: "/v1/launches",
    summary: "Create or reuse a cluster, and run a job on it",
    auth: "user",

    status: 202,
    body: Launch.Create,
    output: Launch.Info,
    errors: [...MAKING, "idempotency_mismatch", "cluster_busy"],
  }),
  "launches.plan": route({
    method: "POST",
    path: "/v1/launches/plan",
    summary: "What a launch would do, and at what price; changes nothing",
    auth: "user",

    status: 200,
    body: Launch.Create,
    output: Launch.Plan,
    errors: MAKING,
  }),
  "jobs.submit": route({
    ...ClusterJobs,
    method: "POST",
    path: "/v1/clusters/{cluster}/jobs",
    summary: "Queue a job on an existing cluster",

    status: 202,
    body: Job.Submit,
    output: Job.Info,
    errors: ["not_found", "conflict", "cluster_busy", "unsupported", "idempotency_mismatch"],
  }),
  "jobs.list": route({
    method: "GET",
    path: "/v1/jobs",
    summary: "List jobs, newest first",
    auth: "user",
    status: 200,
    query: PageQuery.extend(Filter.shape).extend({
      cluster: z.string().max(63).optional().meta({ description: "Only those of this cluster (id or name)" }),
      array: Job.JobId.optional().meta({
        description: "The runs of this array that have begun, in the order of their indices",
      }),
    }),
    output: page(Job.Info),
    errors: ["not_found"],
  }),
  "jobs.get": route({
    method: "GET",
    path: "/v1/jobs/{job}",
    summary: "Read one job",
    auth: "user",
    status: 200,
    params: JobParam,
    output: Job.Info,
    errors: ["not_found"],
  }),
  "jobs.why": route({
    method: "GET",
    path: "/v1/jobs/{job}/why",
    summary: "Why a job is where it is: its place in the queue and what it waits for",
    auth: "user",
    status: 200,
    params: JobParam,
    output: z.object({ job: Job.Info, cluster: Cluster.Info.optional(), reasons: z.array(z.string()) }),
    errors: ["not_found"],
  }),
  "jobs.rerun": route({
    method: "POST",
    path: "/v1/jobs/{job}/rerun",
    summary: "Run a job once more, on its cluster or on one like it",
    auth: "user",
    status: 202,
    params: JobParam,
    body: Launch.Rerun,
    output: Launch.Info,
    errors: [...MAKING, "idempotency_mismatch"],
  }),
  "jobs.cancel": route({
    method: "POST",
    path: "/v1/jobs/{job}/cancel",
    summary: "Cancel a job; one that has ended stays as it is",
    auth: "user",

    status: 202,
    params: JobParam,
    output: Job.Info,
    errors: ["not_found", "idempotency_mismatch"],
  }),
  "jobs.hold": route({
    method: "POST",
    path: "/v1/jobs/{job}/hold",
    summary: "Take a job out of the queue until it is released; one that has begun is refused",
    auth: "user",
    status: 202,
    params: JobParam,
    output: Job.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "jobs.release": route({
    method: "POST",
    path: "/v1/jobs/{job}/release",
    summary: "Let a job go that is held; one that is not stays as it is",
    auth: "user",
    status: 202,
    params: JobParam,
    output: Job.Info,
    errors: ["not_found", "conflict", "idempotency_mismatch"],
  }),
  "jobs.logs": route({
    method: "GET",
    path: "/v1/jobs/{job}/logs",
    summary: "Where the next chunks of a job's log can be read",
    auth: "user",
    status: 200,
    params: JobParam,
    query: LogQuery,
    output: LogPage,
    errors: ["not_found", "conflict"],
  }),
  "jobs.text": route({
    method: "GET",
    path: "/v1/jobs/{job}/logs/text",
    summary: "One node's log as text, from an offset on",
    auth: "user",
    status: 200,
    params: JobParam,
    query: LogTextQuery,
    output: LogText,
    errors: ["not_found", "conflict"],
  }),
  "jobs.events": route({
    method: "GET",
    path: "/v1/jobs/{job}/events",
    summary: "A job's history, oldest first",
    auth: "user",
    status: 200,
    params: JobParam,
    query: PageQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
} as const;
