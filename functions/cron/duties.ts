/** Which duty a run is for: `{ duty }`, as the schedules say. */
import * as z from "zod";

/** Names of the duties. */
export const Duty = z.enum(["due", "orphans", "catalog", "secrets", "unused"]);
export type Duty = z.infer<typeof Duty>;

const Run = z.object({ duty: Duty });

export const duties =
  (run: Readonly<Record<Duty, () => Promise<unknown>>>) =>
  async (event: unknown): Promise<void> => {
    await run[Run.parse(event).duty]();
  };
