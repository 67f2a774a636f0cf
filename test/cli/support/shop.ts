/** A provider of ours with machines to look at; it proves what the command line shows, and nothing about any cloud. */
import type { Barred, Check, Listed, Offer } from "@muster/core/ports/provider.ts";
import type { Offering } from "@muster/core/ports/world.ts";

const place = { provider: "shop", region: "eu-central-1" };
const big = { instanceType: "g9.large", cpus: 8, memory: 32, accelerators: { L40S: 1 } };

const offers: Offer[] = [
  { ...place, ...big, zone: "eu-central-1a", market: "spot", hourly: 0.61 },
  { ...place, ...big, zone: "eu-central-1b", market: "on_demand", hourly: 1.86 },
];

const barred: Barred[] = [
  {
    instanceType: "g9.huge",
    market: "on_demand",
    reason: "Running On-Demand G instances: 8 of 8 vCPUs are in use",
    link: "https://console.example.com/quotas/L-1",
  },
];

const listed: Listed[] = [
  {
    ...place,
    ...big,
    acceleratorMemory: 48,
    zones: ["eu-central-1a", "eu-central-1b"],
    hourly: 1.86,
    spotHourly: 0.61,
  },
  { ...place, instanceType: "m9.tiny", cpus: 2, memory: 4, accelerators: {}, zones: ["eu-central-1a"], hourly: 0.0416 },
  { ...place, instanceType: "x9.secret", cpus: 96, memory: 2048, accelerators: { B300: 8 }, zones: [] },
];

const checks: Check[] = [
  { name: "catalog", ok: true, message: "made 12 minutes ago" },
  { name: "default VPC", ok: false, message: "eu-central-1 has none", fix: "aws ec2 create-default-vpc" },
];

export const shop: Offering = {
  name: "shop",
  capabilities: { stop: true, settle: 0, unknown: 60_000, boot: 60_000 },
  offers: async () => ({ offers, barred }),
  catalog: async () => listed,
  checks: async () => checks,
};
