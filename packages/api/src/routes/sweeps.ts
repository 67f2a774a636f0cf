import * as Sweep from "@muster/core/sweep/request.ts";
import { route } from "../route.ts";

export const sweeps = {
  "sweeps.create": route({
    method: "POST",
    path: "/v1/sweeps",
    summary: "Look for what belongs to no cluster of the workspace any more, and end it, or only tell of it",
    auth: "user",
    role: "admin",
    status: 202,
    body: Sweep.Request,
    output: Sweep.Info,
    errors: ["idempotency_mismatch"],
  }),
  "sweeps.get": route({
    method: "GET",
    path: "/v1/sweeps/{sweep}",
    summary: "What a sweep has found, and what came of it; kept for a day",
    auth: "user",
    role: "admin",
    status: 200,
    params: Sweep.Param,
    output: Sweep.Info,
    errors: ["not_found"],
  }),
} as const;
