/** How one node's part in one try of a job moves. */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("attempt", "assigned", {
  assigned: { prepare: "preparing", run: "running", exit: "exited", lose: "lost", revoke: "revoked" },
  preparing: { run: "running", exit: "exited", lose: "lost", revoke: "revoked" },
  running: { exit: "exited", lose: "lost", revoke: "revoked" },
  exited: {},
  lost: {},
  revoked: {},
});
