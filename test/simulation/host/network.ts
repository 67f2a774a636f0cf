/** The way from a host to the control plane: calls get lost, answers get lost, and some calls arrive twice. */
import { MusterError } from "@muster/core/error.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import { invoke } from "../invoke.ts";
import { MINUTE, SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";

/** No answer came. */
export class Lost extends Error {}

/** @throws Lost, or what the control plane answered. */
export async function ask<T>(sim: Sim, box: Box, verb: string, run: (world: Whole) => Promise<T>): Promise<T> {
  const name = `${box.id} ${verb}`;
  if (isCut(sim, box) || sim.faults.happens("requestLost")) return lose(sim, name);
  if (sim.faults.happens("requestTwice"))
    sim.kernel.at(sim.rng.int(MINUTE), `${name} again`, () => void invoke(sim, `${name} again`, box.workspace, run));
  const outcome = await invoke(sim, name, box.workspace, run);
  if (outcome.kind === "died" || isCut(sim, box) || sim.faults.happens("answerLost")) return lose(sim, name);
  if (outcome.kind === "done") return outcome.value;
  if (outcome.error instanceof MusterError) throw outcome.error;
  if (outcome.error instanceof WriteConflict) throw new MusterError("busy", "too many changes at once");
  throw new MusterError("internal", String(outcome.error));
}

/** Posts one chunk of a log. @returns whether the grant allowed it. @throws Lost. */
export async function post(sim: Sim, box: Box, policy: Parameters<Sim["blobs"]["post"]>[0], key: string) {
  const name = `${box.id} post ${key}`;
  if (isCut(sim, box) || sim.faults.happens("requestLost")) return lose(sim, name);
  await sim.kernel.sleep(1 + sim.rng.int(sim.climate.latency), name);
  const isAllowed = sim.blobs.post(policy, key, 100);
  if (sim.faults.happens("answerLost")) return lose(sim, name);
  return isAllowed;
}

async function lose(sim: Sim, name: string): Promise<never> {
  await sim.kernel.sleep(sim.rng.between(SECOND, 30 * SECOND), `${name} is lost`);
  throw new Lost(name);
}

const isCut = (sim: Sim, box: Box): boolean => box.cutUntil > sim.now;
