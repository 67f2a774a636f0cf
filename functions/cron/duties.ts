/** Which duty a run is for: `{ duty }`, as the schedules say. */
import type { World } from "@muster/core/ports/world.ts";
import * as z from "zod";
import { burying } from "../buried.ts";

/** Names of the duties. */
export const Duty = z.enum(["due", "orphans", "catalog", "secrets", "unused"]);
export type Duty = z.infer<typeof Duty>;

const Run = z.object({ duty: Duty });

/** One that fails is counted, and a dead letter when it has failed three times in an hour; its next run comes by itself. */
export const duties =
  (world: Pick<World, "table" | "clock" | "log">, run: Readonly<Record<Duty, () => Promise<unknown>>>) =>
  async (event: unknown): Promise<void> => {
    const { duty } = Run.parse(event);
    await burying(world, { subject: `duty ${duty}`, what: `run the duty '${duty}'` }, run[duty]);
  };
