/** Idle policies that look at more than jobs. */
import { Idle } from "@muster/core/cluster/idle.ts";
import type { Sim } from "./sim.ts";

/** Twenty minutes of each hour: a run begins at nine by this clock, and is most at work in its first half hour. */
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const hours = Array.from({ length: 14 }, (_, index) => {
  const hour = String(8 + index).padStart(2, "0");
  return { days: [...DAYS], from: `${hour}:05`, to: `${hour}:25` };
});

/** Some hosts have run it before the control plane goes on, and some have not. */
const hook = { run: "save", timeout: 2 } as const;

const watchful = [
  { after: 2, action: "stop", waitFor: "jobs_and_sessions", hook },
  { after: 1, action: "terminate", waitFor: "jobs_and_sessions", cpuBelow: 0.05, hook },
  { after: 3, action: "stop", cpuBelow: 0.05, then: { after: 5, action: "terminate" } },
  { after: 8, action: "stop", waitFor: "none" },
  { after: 1, action: "terminate", keep: { zone: "Europe/Berlin", hours } },
] as const;

export const watchfulIdle = (sim: Sim): Idle => Idle.parse(sim.rng.pick(watchful));
