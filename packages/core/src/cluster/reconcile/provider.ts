/** Who makes and ends a cluster's machines. */
import { MusterError } from "../../error.ts";
import type { MachineProvider } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import type * as Cluster from "../cluster.ts";

/** @throws MusterError `unavailable` where the control plane has lost the provider that it once had. */
export function providerOf(
  world: Pick<World, "providers">,
  cluster: Pick<Cluster.Cluster, "provider">,
): MachineProvider {
  const provider = world.providers.get(cluster.provider);
  if (provider) return provider;
  throw new MusterError("unavailable", `provider '${cluster.provider}' is not part of this control plane`);
}
