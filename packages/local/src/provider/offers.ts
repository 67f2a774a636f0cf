/** What this machine can offer. */
import { execFileSync } from "node:child_process";
import { availableParallelism, totalmem } from "node:os";
import { isSame, isTpu } from "@muster/core/accelerator/names.ts";
import { savedOf } from "@muster/core/image/name.ts";
import type { Check, Listed, Offer, Offered } from "@muster/core/ports/provider.ts";
import type { Choice } from "@muster/core/task/resources.ts";

/** The machine as it is; read once, when the control plane starts. */
export interface Inventory {
  readonly cpus: number;
  /** GiB. */
  readonly memory: number;
  /** GPU names. */
  readonly gpus: readonly string[];
}

export const inventory = (): Inventory => ({
  cpus: availableParallelism(),
  memory: Math.floor((totalmem() / 2 ** 30) * 10) / 10,
  gpus: gpuNames(),
});

/** Names of the NVIDIA GPUs, as nvidia-smi lists them; none where there is no nvidia-smi. */
function gpuNames(): string[] {
  try {
    const text = execFileSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
      encoding: "utf8",
      timeout: 5000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.split("\n").filter(line => line.trim() !== "");
  } catch {
    return []; // No driver, or no GPU that answers: the same as none.
  }
}

interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

export function offersOf(machine: Inventory, resources: Choice): Offered {
  const refusal = refuse(machine, resources);
  return refusal === undefined ? { offers: [offer(machine)] } : { offers: [], ...refusal };
}

function refuse(machine: Inventory, resources: Choice): Refusal | undefined {
  return unlike(machine, resources) ?? tooSmall(machine, resources);
}

/** What it is not, and does not have. */
function unlike(machine: Inventory, resources: Choice): Refusal | undefined {
  const { accelerators, image, images, instanceType } = resources;
  if (accelerators && !Object.entries(accelerators).some(([name, count]) => has(machine, name, count)))
    return {
      reason: `${isForTpus(accelerators) ? "TPUs are Google's; " : ""}this machine has no ${wanted(accelerators)}: it has ${seen(machine)}`,
      hint: "run it on what is here with: --resources.accelerators null",
    };
  const [named] = [image, ...Object.values(images ?? {})].filter(one => one !== undefined);
  if (named !== undefined && savedOf(resources)?.provider !== "local")
    return {
      reason: `hosts on this machine run no images ('${named}')`,
      hint: "run it without with: --resources.image_id null",
    };
  if (instanceType !== undefined && instanceType !== "local")
    return {
      reason: `this machine is no ${instanceType}`,
      hint: "run it on what is here with: --resources.instance_type null",
    };
  return undefined;
}

function tooSmall(machine: Inventory, { cpus, memory }: Choice): Refusal | undefined {
  if (cpus && cpus.count > machine.cpus)
    return {
      reason: `this machine has ${machine.cpus} CPUs; ${cpus.count} were asked for`,
      hint: "run it on what is here with: --resources.cpus null",
    };
  if (memory && memory.gib > machine.memory)
    return {
      reason: `this machine has ${machine.memory} GiB of memory; ${memory.gib} were asked for`,
      hint: "run it on what is here with: --resources.memory null",
    };
  return undefined;
}

const wanted = (accelerators: Readonly<Record<string, number>>): string =>
  Object.entries(accelerators)
    .map(([name, count]) => `${name}:${count}`)
    .join(" or ");

const isForTpus = (accelerators: Readonly<Record<string, number>>): boolean => Object.keys(accelerators).every(isTpu);

/** What there is, as a task asks for it. */
const seen = (machine: Inventory): string => {
  const { accelerators } = offer(machine);
  return machine.gpus.length === 0 ? "no GPU" : wanted(accelerators).replaceAll(" or ", ", ");
};

const has = (machine: Inventory, name: string, count: number): boolean =>
  machine.gpus.filter(gpu => isSame(name, gpu)).length >= count;

export const listedOf = (machine: Inventory): Listed => ({ ...offer(machine), zones: [] });

export function checkOf({ cpus, memory, gpus }: Inventory): Check {
  const message = `${cpus} CPUs, ${memory} GiB, ${gpus.length === 0 ? "no GPU" : gpus.join(", ")}`;
  return { name: "this machine", ok: true, message };
}

function offer(machine: Inventory): Offer {
  const accelerators: Record<string, number> = {};
  for (const gpu of machine.gpus) accelerators[gpu] = (accelerators[gpu] ?? 0) + 1;
  const { cpus, memory } = machine;
  return { provider: "local", instanceType: "local", market: "none", cpus, memory, accelerators, hourly: 0 };
}
