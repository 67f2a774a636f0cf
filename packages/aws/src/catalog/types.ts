/** Machine types, as DescribeInstanceTypes tells them. */
import { DescribeInstanceTypesCommand, type InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { answerOf, type Ec2 } from "../ec2/client.ts";
import type { MachineType } from "./catalog.ts";
import { ofEc2 } from "./names.ts";

/** A type without where it is and what it costs. */
export type Shape = Omit<MachineType, "zones" | "onDemand" | "spot">;

/** Types per page; the most that EC2 gives. */
const PAGE = 100;
const FILTERS = [
  { Name: "supported-virtualization-type", Values: ["hvm"] },
  { Name: "processor-info.supported-architecture", Values: ["x86_64", "arm64"] },
];

/** Every type of the region that a task may run on. @throws Fault */
export async function types(ec2: Pick<Ec2, "reads">): Promise<readonly Shape[]> {
  const shapes: Shape[] = [];
  let next: string | undefined;
  do {
    const command = new DescribeInstanceTypesCommand({ Filters: FILTERS, MaxResults: PAGE, NextToken: next });
    const page = await answerOf("DescribeInstanceTypes", ec2.reads.send(command));
    shapes.push(...(page.InstanceTypes ?? []).flatMap(info => shapeOf(info) ?? []));
    next = page.NextToken;
  } while (next);
  return shapes;
}

/**
 * One type; undefined for those that run no task: for macOS, of 32 bits, or told in part.
 * Memory is MiB in EC2's answer, local disks are GB.
 */
export function shapeOf(info: InstanceTypeInfo): Shape | undefined {
  const { InstanceType: name, VCpuInfo, MemoryInfo } = info;
  const cpus = VCpuInfo?.DefaultVCpus;
  const mib = MemoryInfo?.SizeInMiB;
  const arch = archOf(info);
  if (name === undefined || cpus === undefined || mib === undefined || arch === undefined) return undefined;
  const efa = info.NetworkInfo?.EfaInfo?.MaximumEfaInterfaces ?? 0;
  const nvme = nvmeOf(info);
  return {
    name,
    cpus,
    memory: gib(mib),
    arch,
    ...devicesOf(info),
    ...(nvme > 0 && { nvme }),
    ...(efa > 0 && { efa }),
    ...(info.BareMetal === true && { metal: true }),
    ...(info.CurrentGeneration !== true && { previous: true }),
    ...(info.BurstablePerformanceSupported === true && { burstable: true }),
    ...(!closeTogether(info) && { apart: true }),
    ...(info.SupportedUsageClasses?.includes("spot") === true && { spotMarket: true }),
  };
}

/** Of the oldest types the local disks are no NVMe: machines here do not use those. */
const nvmeOf = ({ InstanceStorageInfo: disks }: InstanceTypeInfo): number =>
  disks?.NvmeSupport === "unsupported" ? 0 : (disks?.TotalSizeInGB ?? 0);

const gib = (mib: number): number => Math.round((mib / 1024) * 100) / 100;

function archOf(info: InstanceTypeInfo): MachineType["arch"] | undefined {
  const known = info.ProcessorInfo?.SupportedArchitectures ?? [];
  if (known.includes("x86_64")) return "x86_64";
  return known.includes("arm64") ? "arm64" : undefined;
}

/** Where EC2 says nothing of placement groups, it may be possible. */
const closeTogether = (info: InstanceTypeInfo): boolean =>
  info.PlacementGroupInfo?.SupportedStrategies?.includes("cluster") ?? true;

interface Device {
  readonly Name?: string | undefined;
  readonly Count?: number | undefined;
  readonly GpuPartitionSize?: number | undefined;
  readonly MemoryInfo?: { readonly SizeInMiB?: number | undefined } | undefined;
}

/** Neuron devices come twice: as such, and as inference accelerators. */
function devicesOf(info: InstanceTypeInfo): Pick<Shape, "accelerators" | "acceleratorMemory"> {
  const devices: readonly Device[] =
    info.NeuronInfo?.NeuronDevices ??
    info.GpuInfo?.Gpus ??
    info.InferenceAcceleratorInfo?.Accelerators ??
    info.FpgaInfo?.Fpgas ??
    info.MediaAcceleratorInfo?.Accelerators ??
    [];
  const [device] = devices;
  const count = device === undefined ? 0 : countOf(device);
  if (device?.Name === undefined || count <= 0) return {};
  const mib = device.MemoryInfo?.SizeInMiB ?? 0;
  return {
    accelerators: { [ofEc2(device.Name, mib)]: count },
    ...(mib > 0 && { acceleratorMemory: gib(mib) }),
  };
}

/** A machine with a part of a GPU has the count 0 or 1, and says in `GpuPartitionSize` how large its part is. */
function countOf({ Count = 0, GpuPartitionSize = 1 }: Device): number {
  return GpuPartitionSize < 1 ? GpuPartitionSize * Math.max(1, Count) : Count;
}
