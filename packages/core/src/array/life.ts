/** How an array moves. It ends when all its runs have, those that never began included. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("array", "queued", {
  queued: { run: "running", cancel: "cancelled", fail: "failed", expire: "timed_out" },
  running: { succeed: "succeeded", fail: "failed", cancel: "cancelled", stop: "cancelling" },
  cancelling: { cancel: "cancelled" },
  succeeded: {},
  failed: {},
  cancelled: {},
  timed_out: {},
});
