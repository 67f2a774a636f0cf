/**
 * The environment contract: what a job's scripts may read. The SKYPILOT_ names are those of SkyPilot's documented
 * environment variables, which most public task files read.
 */
import { visibleCores } from "../accelerator/neuron.ts";
import { variables } from "../array/environment.ts";
import { PORTS, type Slot } from "../cluster/slots.ts";
import * as Keys from "../keys.ts";
import type { Offer } from "../ports/provider.ts";
import type { Task } from "../task/task.ts";
import type { Placed } from "./job.ts";

export interface Place {
  /** The job's own rank of this node. */
  readonly rank: number;
  /** The job's hosts, in the order of its ranks. */
  readonly hosts: readonly Slot[];
  readonly offer: Pick<Offer, "provider" | "region" | "zone">;
}

export function environment(job: Placed, task: Task, place: Place): Record<string, string> {
  const ips = place.hosts.map(host => host.address).join("\n");
  const numbers = gpusOf(job, place.hosts[place.rank]);
  const gpus = numbers?.length ?? 0;
  const common = {
    NODE_RANK: String(place.rank),
    NODE_IPS: ips,
    NUM_NODES: String(place.hosts.length),
    NUM_GPUS_PER_NODE: String(gpus),
    CLUSTER_INFO: clusterInfo(job, place.offer),
  };
  return {
    ...task.envs,
    ...task.secrets,
    MUSTER_JOB_ID: job.id,
    MUSTER_ATTEMPT: String(job.attempts),
    ...(job.array && task.runs && variables(job.array, task.runs)),
    ...prefixed("MUSTER_", common),
    ...prefixed("SKYPILOT_", common),
    SKYPILOT_TASK_ID: skypilotTaskId(job),
    SKYPILOT_SETUP_NODE_RANK: String(place.rank),
    SKYPILOT_SETUP_NODE_IPS: ips,
    SKYPILOT_SETUP_NUM_GPUS_PER_NODE: String(gpus),
    MASTER_ADDR: place.hosts[0]?.address ?? "",
    MASTER_PORT: String(masterPort(job)),
    // By their place on the bus they have the numbers that NVIDIA's tools give them. None at all hides those of others.
    ...(numbers && { CUDA_VISIBLE_DEVICES: numbers.join(","), CUDA_DEVICE_ORDER: "PCI_BUS_ID" }),
    ...coresOf(job, place.hosts[place.rank], { ...task.envs, ...task.secrets }),
  };
}

/** Where the accelerators are AWS's own, and not all of them the job's. */
function coresOf(job: Placed, slot: Slot | undefined, envs: Record<string, string>): Record<string, string> {
  const run = slot?.runs.find(one => one.jobId === job.id);
  if (slot?.gpu === undefined || run === undefined || run.whole || run.beside) return {};
  return visibleCores(slot.gpu, run.gpus ?? [], envs);
}

const prefixed = (prefix: string, variables: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [prefix + name, value]));

/** Numbers of the GPUs that the job has on a host: its own, or all of a whole host's; undefined where the host has none. */
function gpusOf(job: Placed, slot: Slot | undefined): readonly number[] | undefined {
  if (slot === undefined || slot.gpus === 0) return undefined;
  const run = slot.runs.find(one => one.jobId === job.id);
  return run?.whole || run?.beside ? Array.from({ length: slot.gpus }, (_, index) => index) : (run?.gpus ?? []);
}

function clusterInfo(job: Placed, offer: Place["offer"]): string {
  const { provider, region, zone } = offer;
  return JSON.stringify({ cluster_name: job.clusterName, cloud: provider, region: region ?? null, zone: zone ?? null });
}

/** SkyPilot's documented form, `sky-<timestamp>_<name>_<id>`; scripts cut it at its underscores. */
function skypilotTaskId(job: Placed): string {
  const time = new Date(job.createdAt)
    .toISOString()
    .replace("T", "-")
    .replaceAll(":", "-")
    .replace(".", "-")
    .replace("Z", "000");
  return `sky-${time}_${job.name ?? job.clusterName}_${job.id.slice("job_".length).toLowerCase()}`;
}

/**
 * Jobs that follow each other do not meet in one port that is still closing, nor those that share a host (see
 * `Slots.nextFence`), nor two clusters on one machine.
 */
const masterPort = (job: Placed): number => 20_000 + ((Keys.spread(job.clusterId) + job.fence) % PORTS);
