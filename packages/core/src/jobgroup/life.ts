/** How a job group moves. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("jobgroup", "running", {
  running: { wind_up: "ending", succeed: "succeeded", fail: "failed", cancel: "cancelled" },
  ending: { succeed: "succeeded", fail: "failed", cancel: "cancelled" },
  succeeded: {},
  failed: {},
  cancelled: {},
});
