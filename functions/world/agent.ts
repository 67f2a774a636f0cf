/** The world of the function that faces hosts: it reads the secrets of what they run, and cannot change them. */
import { read } from "@muster/aws/secrets/read.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";
import { parameters } from "./base.ts";
import { facing } from "./facing.ts";

export const agent: HostEdge = { ...facing(), secrets: { read: read(parameters) } };
