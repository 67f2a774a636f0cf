/** Which ends of a try are not the end of the job: it is begun again, on the same hosts or on others. */
import * as z from "zod";

/** What made a try end, as far as it may be tried again. */
export const RetryCause = z.enum(["capacity", "interruption", "host_lost", "exit_code", "setup_failed", "timeout"]);
export type RetryCause = z.infer<typeof RetryCause>;

export const Retry = z.strictObject({
  /** Tries beyond the first, whatever made them necessary. */
  max: z.number().int().min(0).max(1000).default(3),
  /** Causes that are worth another try. */
  on: z.array(RetryCause).min(1).max(6).default(["interruption", "host_lost"]),
  /** Of `exit_code` only these codes; absent: any but 0. */
  exitCodes: z.array(z.number().int().min(1).max(255)).min(1).max(50).optional(),
  /** Seconds before the second try; each later pause is twice as long, up to an hour. */
  backoff: z.number().int().min(0).max(3600).default(10),
});
export type Retry = z.infer<typeof Retry>;
