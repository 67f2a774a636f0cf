import * as Read from "@muster/core/checkpoint/read.ts";
import * as Output from "@muster/core/output/output.ts";
import { route } from "../route.ts";
import { JobParam } from "./common.ts";

export const artifacts = {
  "artifacts.list": route({
    method: "GET",
    path: "/v1/jobs/{job}/artifacts",
    summary: "The files that a job has kept of its outputs, or of its checkpoint, and where they can be read",
    auth: "user",
    status: 200,
    params: JobParam,
    query: Output.Query,
    output: Output.Page,
    errors: ["not_found", "conflict"],
  }),
} as const;

export const checkpoints = {
  "agent.checkpoint": route({
    method: "POST",
    path: "/v1/agent/checkpoint",
    summary: "Where a host can read a part of the checkpoint that a try before has left",
    auth: "host",
    status: 200,
    body: Read.Ask,
    output: Read.Given,
    errors: ["not_found"],
  }),
} as const;
