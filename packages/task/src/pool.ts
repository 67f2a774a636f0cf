/** `pool: { workers: 4 }`, as SkyPilot writes it: the file says what the clusters of a pool are, and how many it keeps. */
import { MOST } from "@muster/core/pool/bounds.ts";
import { integer, shape } from "./check.ts";
import type { Draft } from "./draft.ts";
import { defer, type Field, refuse } from "./reading.ts";
import { isNull } from "./yaml/tree.ts";

const seconds = integer(0);

/** By SkyPilot's schema (sky/utils/schemas.py). */
export const poolShape = shape({
  workers: integer(0),
  min_workers: integer(0),
  max_workers: integer(0),
  queue_length_threshold: integer(1),
  upscale_delay_seconds: seconds,
  downscale_delay_seconds: seconds,
});

export const pool: Extract<Field<Draft>, (...args: never[]) => void> = (reading, value, at, out) => {
  poolShape(reading, value, at);
  if (value.kind !== "map") return;
  const moving = [...value.entries].some(([key, part]) => key !== "workers" && !isNull(part.value));
  if (moving)
    return defer(reading, at, "pools whose number of workers follows their queue: say one, and others by time");
  const size = value.entries.get("workers")?.value;
  const workers = size?.kind === "scalar" && typeof size.value === "number" ? size.value : undefined;
  if (workers !== undefined && workers > MOST)
    refuse(reading, { ...at, path: `${at.path}.workers` }, `must be at most ${MOST}`);
  out.pool = { ...(workers !== undefined && { workers }) };
};
