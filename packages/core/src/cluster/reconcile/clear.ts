/** The end of machines that a cluster has given up, while it lives on. */
import { MusterError } from "../../error.ts";
import type { Machine, MachineProvider } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import type { Stored } from "../../record.ts";
import type * as Cluster from "../cluster.ts";
import { later } from "./later.ts";
import { certainAt } from "./launch.ts";
import { providerOf } from "./provider.ts";

/** How often it looks again, in ms. */
const LOOK = 15_000;

/** A cloud that is busy is asked again with the next look. */
async function end(provider: MachineProvider, machines: readonly Machine[]): Promise<void> {
  try {
    await provider.terminate(machines.map(machine => machine.machineId));
  } catch (error) {
    if (!(error instanceof MusterError && error.code === "busy")) throw error;
  }
}

/** @returns whether none of them is left, nor can come any more; when not, it is looked at again soon. */
export async function clear(
  world: World,
  cluster: Stored<Extract<Cluster.Cluster, { state: "moving" | "growing" }>>,
  machines: readonly Machine[],
): Promise<boolean> {
  const provider = providerOf(world, cluster);
  const now = world.clock.now();
  const certain = certainAt(cluster.launch, provider.capabilities);
  if (machines.length === 0 && now >= certain) return true;
  if (machines.length > 0) await end(provider, machines);
  await later(world, cluster, machines.length > 0 ? now + LOOK : Math.min(certain, now + LOOK));
  return false;
}
