/** What the `aws` provider offers, for functions that may make no machine: no client of EC2 is loaded for it. */
import type { Clock } from "@muster/core/ports/ports.ts";
import type { Capabilities, Check, Listed } from "@muster/core/ports/provider.ts";
import type { Offering } from "@muster/core/ports/world.ts";
import type { Catalog, MachineType } from "../catalog/catalog.ts";
import { offers } from "./offers/offers.ts";

export const NAME = "aws";

export const capabilities: Capabilities = {
  stop: true,
  move: true,
  image: true,
  // What was launched shows within seconds; EC2 promises none, and has been seen to take a minute.
  settle: 120_000,
  // A call that was never answered is applied within ten minutes or never.
  unknown: 660_000,
  // Large GPU machines take ten minutes before their system begins to boot.
  boot: 900_000,
  // RunInstances: a bucket of five, refilled at two a second, for the account and region.
  // (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html)
  launches: { burst: 5, perSecond: 2 },
};

/** What a catalog tells of the account's readiness, now. */
export type Checks = (catalog: Catalog, now: number) => readonly Check[];

/** @param checks absent where nobody asks for them: they are no small part of a function */
export const offering = (catalog: () => Promise<Catalog>, clock: Clock, checks: Checks = () => []): Offering => ({
  name: NAME,
  capabilities,
  offers: async (resources, nodes, beside) => offers(await catalog(), resources, nodes, beside),
  catalog: async () => {
    const { region, types } = await catalog();
    return types.map(type => listed(type, region));
  },
  checks: async () => checks(await catalog(), clock.now()),
});

const listed = (type: MachineType, region: string): Listed => ({
  provider: NAME,
  instanceType: type.name,
  cpus: type.cpus,
  memory: type.memory,
  accelerators: type.accelerators ?? {},
  acceleratorMemory: type.acceleratorMemory,
  localDisk: type.nvme,
  region,
  zones: type.zones,
  hourly: type.onDemand,
  spotHourly: type.spot && Math.min(...Object.values(type.spot)),
});
