/** The few words into which all states of a job fall: what programs of other launchers know. */
import * as z from "zod";
import type { life } from "./life.ts";

export const Coarse = z.enum(["pending", "running", "succeeded", "failed", "cancelled"]);
export type Coarse = z.infer<typeof Coarse>;

const coarse: Readonly<Record<(typeof life.states)[number], Coarse>> = {
  waiting: "pending",
  queued: "pending",
  recovering: "pending",
  starting: "running",
  running: "running",
  cancelling: "running",
  succeeded: "succeeded",
  failed: "failed",
  timed_out: "failed",
  cancelled: "cancelled",
};

export const coarseOf = (state: (typeof life.states)[number]): Coarse => coarse[state];
