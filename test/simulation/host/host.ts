/** A machine's power, as its operating system sees it: agents come and go, scripts end, the disk stays. */
import { SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";
import { endActivity } from "./activity.ts";
import { startAgent } from "./agent.ts";
import { isAlive } from "./disk.ts";

export function bootHost(sim: Sim, box: Box): void {
  box.agent = startAgent(sim, box);
}

/** Everything that runs ends, with no time to say so. */
export function endHost(sim: Sim, box: Box): void {
  endAgent(box);
  endActivity(sim, box);
  for (const script of box.scripts.values()) if (isAlive(script, sim.now)) script.endedAt = sim.now;
}

function endAgent(box: Box): void {
  if (box.agent) box.agent.dead = true;
  box.agent = undefined;
}

export function reboot(sim: Sim, box: Box): void {
  endHost(sim, box);
  agentLater(sim, box, sim.rng.between(30, 120));
}

export function restartAgent(sim: Sim, box: Box): void {
  endAgent(box);
  agentLater(sim, box, sim.rng.between(1, 30));
}

/** It runs, and does nothing any more. */
export function freeze(sim: Sim, box: Box): void {
  box.isSick = true;
  endHost(sim, box);
}

function agentLater(sim: Sim, box: Box, seconds: number): void {
  const boot = box.boots;
  sim.kernel.at(seconds * SECOND, `${box.id} starts its agent`, () => {
    if (box.state === "running" && box.boots === boot && !box.isSick && box.agent === undefined) bootHost(sim, box);
  });
}
