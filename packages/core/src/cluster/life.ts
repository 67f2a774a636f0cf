/**
 * How a cluster moves. `terminated` and `failed` are reached only when the provider confirms that no machine is left.
 * `launching` leads back to `moving` only where disks wait for machines, and to `growing` only where a cluster works already:
 * those are never given up for missing capacity. `draining` leads back to `requested` only for a managed job, whose machines
 * are made anew.
 */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("cluster", "requested", {
  requested: { plan: "launching", remove: "draining", fail: "draining" },
  launching: { launched: "booting", stay: "moving", shrink: "growing", remove: "draining", fail: "draining" },
  booting: {
    set_up: "setting_up",
    up: "ready",
    stay: "moving",
    shrink: "growing",
    stop: "stopping",
    remove: "draining",
    fail: "draining",
  },
  setting_up: { up: "ready", break: "broken", remove: "draining", fail: "draining" },
  ready: { grow: "growing", stop: "stopping", remove: "draining", fail: "draining" },
  growing: { plan: "launching", stay: "ready", remove: "draining" },
  broken: { retry: "setting_up", stop: "stopping", remove: "draining", fail: "draining" },
  stopping: { stopped: "stopped", remove: "draining", fail: "draining" },
  stopped: { start: "starting", move: "moving", remove: "draining", fail: "draining" },
  moving: { plan: "launching", stay: "stopped", remove: "draining" },
  starting: { started: "booting", stay: "stopped", remove: "draining", fail: "draining" },
  draining: { renew: "requested", gone: "terminated", gone_failed: "failed" },
  terminated: {},
  failed: {},
});
