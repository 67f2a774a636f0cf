/** How a job moves. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("job", "queued", {
  waiting: { release: "queued", cancel: "cancelled", fail: "failed", expire: "timed_out" },
  queued: { place: "starting", hold: "waiting", cancel: "cancelled", fail: "failed", expire: "timed_out" },
  starting: {
    run: "running",
    recover: "recovering",
    succeed: "succeeded",
    fail: "failed",
    expire: "timed_out",
    cancel: "cancelling",
  },
  running: { recover: "recovering", succeed: "succeeded", fail: "failed", expire: "timed_out", cancel: "cancelling" },
  recovering: { requeue: "queued", fail: "failed", cancel: "cancelled", expire: "timed_out" },
  cancelling: { cancelled: "cancelled" },
  succeeded: {},
  failed: {},
  cancelled: {},
  timed_out: {},
});
