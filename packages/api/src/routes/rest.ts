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
    role: "ci",
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
    role: "viewer",
    status: 200,
    output: z.object({ items: z.array(ProviderInfo) }),
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

/** What can be had, asked now and then. */
export const offers = {
  "providers.catalog": route({
    method: "GET",
    path: "/v1/catalog",
    summary: "Machine types and their prices, cheapest first",
    auth: "user",
    role: "viewer",
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
    role: "viewer",
    status: 200,
    output: z.object({ items: z.array(Check) }),
    errors: [],
  }),
} as const;
