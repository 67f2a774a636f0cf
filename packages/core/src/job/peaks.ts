/** The most that each GPU of a job was busy, while its hosts looked. */
import * as z from "zod";
import type { Attempt } from "../attempt/attempt.ts";

/** By the job's ranks; of each node by the order of its GPUs; 0 to 1. A node that nobody looked at has none. */
export const GpuPeaks = z.array(z.array(z.number()));
export type GpuPeaks = z.infer<typeof GpuPeaks>;

/** Of a very large job, those of its first nodes: a record has room for so many. */
const MOST = 512;

/** Undefined when no node has told of any. */
export function peaksOf(attempts: readonly Attempt[]): GpuPeaks | undefined {
  const rows: GpuPeaks = [];
  for (const attempt of attempts)
    if (attempt.state === "exited" && attempt.gpuPeaks !== undefined)
      rows[attempt.rank] = attempt.gpuPeaks.map(peak => Math.round(peak * 100) / 100);
  const whole = Array.from(rows, row => row ?? []);
  const width = Math.max(0, ...whole.map(row => row.length));
  return width === 0 ? undefined : whole.slice(0, Math.max(1, Math.floor(MOST / width)));
}
