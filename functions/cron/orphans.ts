/** Every five minutes: machines that nobody owns, and what else is left of clusters that are gone. */
import type { Ec2Provider } from "@muster/aws/ec2/provider.ts";
import type { World } from "@muster/core/ports/world.ts";
import { sweepOrphans } from "@muster/core/sweep.ts";

export const orphans = (world: World, provider: Pick<Ec2Provider, "tidy">) => async (): Promise<void> => {
  await sweepOrphans(world);
  await provider.tidy();
};
