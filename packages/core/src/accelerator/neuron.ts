/**
 * Which cores of a machine's Neuron devices are a job's, as AWS's Neuron runtime wants to be told: one index or one range,
 * counted through all devices; where a job's devices are not in a row, how many.
 * (https://awsdocs-neuron.readthedocs-hosted.com/en/latest/neuron-runtime/guides/configuration-guide.html)
 */
import { canonical } from "./names.ts";

/** Cores of a device. */
const CORES: Readonly<Record<string, number>> = { Inferentia: 4, Inferentia2: 2, Trainium: 2, Trainium2: 8 };

/**
 * Of these devices two cores, unless NEURON_LOGICAL_NC_CONFIG says otherwise, are one to programs.
 * (https://awsdocs-neuron.readthedocs-hosted.com/en/latest/general/arch/neuron-features/logical-neuroncore-config.html)
 */
const IN_PAIRS: ReadonlySet<string> = new Set(["Trainium2"]);

/** @param numbers of the devices, in ascending order. @returns nothing for what is no such device, or none that is known */
export function visibleCores(
  accelerator: string,
  numbers: readonly number[],
  envs: Readonly<Record<string, string>>,
): Record<string, string> {
  const name = canonical(accelerator);
  const [first] = numbers;
  const physical = CORES[name];
  if (physical === undefined || first === undefined) return {};
  const cores = IN_PAIRS.has(name) && envs.NEURON_LOGICAL_NC_CONFIG !== "1" ? physical / 2 : physical;
  const isRow = numbers.every((number, index) => number === first + index);
  if (!isRow) return { NEURON_RT_NUM_CORES: String(numbers.length * cores) };
  return { NEURON_RT_VISIBLE_CORES: `${first * cores}-${(first + numbers.length) * cores - 1}` };
}
