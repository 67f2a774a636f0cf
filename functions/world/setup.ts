/** The world of the function that faces users who set something up: as `edge`, and nobody asks it what the account may have. */
import { forget } from "@muster/aws/secrets/forget.ts";
import { keep } from "@muster/aws/secrets/keep.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { parameters } from "./base.ts";
import { facing } from "./facing.ts";

export const setup: Edge = { ...facing(), secrets: { keep: keep(parameters), forget: forget(parameters) } };
