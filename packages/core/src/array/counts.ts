/** How far the runs of an array are. */
import * as z from "zod";

/** As the API shows them: together, those that ended and those that go on are those that have started, or never will. */
export const Counts = z.object({
  count: z.number().int(),
  concurrent: z
    .number()
    .int()
    .optional()
    .meta({ description: "How many at a time; absent: as many as there is room for" }),
  started: z.number().int().meta({ description: "Those that have been given a host, whatever became of them" }),
  running: z
    .number()
    .int()
    .meta({ description: "Those that have started and not ended, those that are tried again too" }),
  succeeded: z.number().int(),
  failed: z.number().int(),
  cancelled: z.number().int(),
  timedOut: z.number().int(),
});
export type Counts = z.infer<typeof Counts>;
