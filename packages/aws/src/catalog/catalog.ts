/** The catalog: what a region has, what it costs, and what this account may have of it. Made by `refresh`, read for offers. */
import * as z from "zod";

/** What an image is for: processor architecture, and the driver that it brings. */
export const Purpose = z.enum(["cpuX64", "cpuArm64", "gpuX64", "gpuArm64", "neuronX64"]);
export type Purpose = z.infer<typeof Purpose>;

/** What is absent is none, or no: most machines have none of it, and there are a thousand of them. */
export const MachineType = z.object({
  name: z.string(),
  /** vCPUs as it starts by default. */
  cpus: z.number(),
  /** GiB. */
  memory: z.number(),
  arch: z.enum(["x86_64", "arm64"]),
  /** Canonical name to count per machine; a fraction where machines share a GPU. */
  accelerators: z.record(z.string(), z.number()).optional(),
  /** GiB per accelerator. */
  acceleratorMemory: z.number().optional(),
  /** GB of local NVMe disks, which a stop empties. */
  nvme: z.number().optional(),
  /** How many Elastic Fabric Adapters it takes. */
  efa: z.number().optional(),
  metal: z.boolean().optional(),
  /** AWS advises newer ones. */
  previous: z.boolean().optional(),
  burstable: z.boolean().optional(),
  /** It cannot stand in a cluster placement group. */
  apart: z.boolean().optional(),
  /** EC2 sells spot capacity of it. */
  spotMarket: z.boolean().optional(),
  /** Where it is offered. */
  zones: z.array(z.string()),
  /** US dollars per hour on demand, Linux, in this region. */
  onDemand: z.number().optional(),
  /** Zone to US dollars per hour. */
  spot: z.record(z.string(), z.number()).optional(),
});
export type MachineType = z.infer<typeof MachineType>;

export const Subnet = z.object({
  id: z.string(),
  zone: z.string(),
  /** Machines in it reach the internet by a public address of their own. */
  public: z.boolean(),
  /** Machines in it get that address without being asked for. */
  assigns: z.boolean(),
  /** Machines in it reach out without a public address: through NAT, a transit gateway and the like. */
  egress: z.boolean(),
});
export type Subnet = z.infer<typeof Subnet>;

export const Network = z.object({ vpc: z.string(), subnets: z.array(Subnet) });
export type Network = z.infer<typeof Network>;

/** What users may name beside the deployment's network: what an administrator gave the tag `muster:use` to. */
export const Own = z.object({
  /** The tag's value. */
  deployment: z.string(),
  subnets: z.array(Subnet.extend({ vpc: z.string() })),
  securityGroups: z.array(z.object({ id: z.string(), vpc: z.string() })),
});
export type Own = z.infer<typeof Own>;

export const Image = z.object({
  id: z.string(),
  /** Such as `/dev/sda1`. */
  rootDevice: z.string(),
  /** GB of the smallest root disk that takes it. */
  minDisk: z.number(),
});
export type Image = z.infer<typeof Image>;

export const Part = z.enum(["types", "zones", "prices", "spot", "quotas", "network", "images"]);
export type Part = z.infer<typeof Part>;

/** What went wrong when a part was made; what the catalog had of it before is kept. */
export const Problem = z.object({ part: Part, message: z.string(), fix: z.string().optional() });
export type Problem = z.infer<typeof Problem>;

export const Catalog = z.object({
  format: z.literal(1),
  region: z.string(),
  /** Epoch ms. */
  refreshedAt: z.number(),
  types: z.array(MachineType),
  /** Quota code to vCPUs. */
  quotas: z.record(z.string(), z.number()),
  /** Absent: there is none to put machines into. */
  network: Network.optional(),
  own: Own.optional(),
  images: z.partialRecord(Purpose, Image),
  problems: z.array(Problem),
});
export type Catalog = z.infer<typeof Catalog>;

/** NVIDIA's open driver, which the images bring, knows GPUs from Turing on: no V100 and nothing before it. */
const NVIDIA = /^(A100|A10G|B\d|GB\d|H\d|L4|L40S|RTX|T4)/;
/** The Neuron images of these years have nothing for the first Inferentia. */
const NEURON = /^(Trainium|Inferentia\d)/;

type Driver = "none" | "nvidia" | "neuron";

const PURPOSES: Readonly<Record<Driver, Readonly<Partial<Record<MachineType["arch"], Purpose>>>>> = {
  none: { x86_64: "cpuX64", arm64: "cpuArm64" },
  nvidia: { x86_64: "gpuX64", arm64: "gpuArm64" },
  neuron: { x86_64: "neuronX64" },
};

/**
 * The image that a machine starts from when its user names none; undefined when none of ours drives its accelerators.
 * Machines that share a GPU are among those: they need NVIDIA's licensed GRID driver.
 */
export function purposeOf(type: MachineType): Purpose | undefined {
  const driver = driverOf(type);
  return driver === undefined ? undefined : PURPOSES[driver][type.arch];
}

function driverOf({ accelerators = {} }: MachineType): Driver | undefined {
  const [device] = Object.entries(accelerators);
  if (device === undefined) return "none";
  const [name, count] = device;
  if (NEURON.test(name)) return "neuron";
  return NVIDIA.test(name) && Number.isInteger(count) ? "nvidia" : undefined;
}
