/** The world of the function that faces users: it keeps their secrets, and cannot read them. */
import { forget } from "@muster/aws/secrets/forget.ts";
import { keep } from "@muster/aws/secrets/keep.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { parameters } from "./base.ts";
import { facing } from "./facing.ts";

export const edge: Edge = { ...facing(), secrets: { keep: keep(parameters), forget: forget(parameters) } };
