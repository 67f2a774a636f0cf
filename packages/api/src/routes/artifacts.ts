import * as Output from "@muster/core/output/output.ts";
import { route } from "../route.ts";
import { JobParam } from "./common.ts";

export const artifacts = {
  "artifacts.list": route({
    method: "GET",
    path: "/v1/jobs/{job}/artifacts",
    summary: "The files that a job has kept of its outputs, or of its checkpoint, and where they can be read",
    auth: "user",
    role: "viewer",
    status: 200,
    params: JobParam,
    query: Output.Query,
    output: Output.Page,
    errors: ["not_found", "conflict"],
  }),
} as const;
