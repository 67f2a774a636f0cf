/** What one node of a job takes of its host. */
import * as z from "zod";

/** What is absent takes nothing of that kind. */
export const Need = z.object({
  gpus: z.number().int().positive().optional(),
  /** Canonical name of the GPUs; absent: any. */
  gpu: z.string().optional(),
  cpus: z.number().positive().optional(),
  /** GiB. */
  memory: z.number().positive().optional(),
});
export type Need = z.infer<typeof Need>;
