import {
  Enroll,
  Enrolled,
  File,
  FileParam,
  Orders,
  Poll,
  Register,
  Report,
  Reported,
} from "@muster/core/agent/protocol.ts";
import { ProviderInfo } from "@muster/core/provider/list.ts";
import { CatalogEntry, CatalogQuery, Check } from "@muster/core/provider/look.ts";
import * as Upload from "@muster/core/upload/upload.ts";
import * as z from "zod";
import { route } from "../route.ts";

export const uploads = {
  "uploads.create": route({
    method: "POST",
    path: "/v1/uploads",
    summary: "Ask to upload bytes by their hashes; what is here already need not be sent",
    auth: "user",
    status: 200,
    body: Upload.Create,
    output: Upload.Created,
    errors: [],
  }),
} as const;

export const providers = {
  "providers.list": route({
    method: "GET",
    path: "/v1/providers",
    summary: "The providers of this control plane",
    auth: "user",
    status: 200,
    output: z.object({ items: z.array(ProviderInfo) }),
    errors: [],
  }),
  "providers.catalog": route({
    method: "GET",
    path: "/v1/catalog",
    summary: "Machine types and their prices, cheapest first",
    auth: "user",
    status: 200,
    query: CatalogQuery,
    output: z.object({ items: z.array(CatalogEntry) }),
    errors: ["not_found"],
  }),
  "providers.doctor": route({
    method: "GET",
    path: "/v1/doctor",
    summary: "Whether the providers are ready for work, and what to do where they are not",
    auth: "user",
    status: 200,
    output: z.object({ items: z.array(Check) }),
    errors: [],
  }),
  "health.get": route({
    method: "GET",
    path: "/v1/health",
    summary: "Whether the control plane answers, and its version",
    auth: "none",
    status: 200,
    output: z.object({ ok: z.literal(true), version: z.string() }),
    errors: [],
  }),
} as const;

export const agent = {
  "agent.enroll": route({
    method: "POST",
    path: "/v1/agent/enroll",
    summary: "Register a host with its one-time enrollment token",
    auth: "none",
    status: 200,
    body: Enroll,
    output: Enrolled,
    errors: ["conflict"],
  }),
  "agent.register": route({
    method: "POST",
    path: "/v1/agent/register",
    summary: "Register a machine by its own AWS credentials",
    auth: "iam",
    status: 200,
    body: Register,
    output: Enrolled,
    errors: [],
  }),
  "agent.file": route({
    method: "GET",
    path: "/v1/agent/files/{sha256}",
    summary: "Where a machine that boots finds the agent, or what the agent runs on",
    auth: "iam",
    status: 200,
    params: FileParam,
    output: File,
    errors: ["not_found"],
  }),
  "agent.poll": route({
    method: "POST",
    path: "/v1/agent/poll",
    summary: "A host says how it is, and learns what to do",
    auth: "host",
    status: 200,
    body: Poll,
    output: Orders,
    errors: [],
  }),
  "agent.report": route({
    method: "POST",
    path: "/v1/agent/report",
    summary: "A host says what one of its attempts does",
    auth: "host",
    status: 200,
    body: Report,
    output: Reported,
    errors: ["logs_incomplete"],
  }),
} as const;
