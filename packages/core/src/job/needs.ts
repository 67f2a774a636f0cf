/** What a job's nodes take of their hosts, by what its task asks for; and how that is said. */
import { canonical } from "../accelerator/names.ts";
import type { Need } from "../cluster/need.ts";
import { choicesOf } from "../provider/choices.ts";
import type { Choice, Resources } from "../task/resources.ts";

/** Alternatives of one job: its place in the queue carries them. */
const MOST_NEEDS = 40;

/**
 * Each kind of accelerator of each choice is an alternative. Where one of the choices asks for nothing of a host but what
 * it is, the job takes whole hosts.
 * @returns undefined: the whole host
 */
export function needsOf(resources: Resources): Need[] | undefined {
  const found = choicesOf(resources).flatMap(needsOfChoice);
  if (found.some(need => Object.keys(need).length === 0)) return undefined;
  const distinct = new Map(found.map(need => [JSON.stringify(need), need]));
  return [...distinct.values()].slice(0, MOST_NEEDS);
}

function needsOfChoice({ accelerators = {}, cpus, memory }: Choice): Need[] {
  const rest = { ...(cpus && { cpus: cpus.count }), ...(memory && { memory: memory.gib }) };
  const kinds = Object.entries(accelerators);
  // A part of a GPU cannot be kept from the others that have the rest of it.
  return kinds.length === 0
    ? [rest]
    : kinds.map(([gpu, count]) => ({ gpus: Math.ceil(count), gpu: canonical(gpu), ...rest }));
}

/** `2 GPUs (A100) and 8 CPUs`; of several alternatives all. */
export const describeNeeds = (needs: readonly Need[] | undefined): string =>
  needs === undefined ? "a whole host" : needs.map(describeNeed).join(", or ");

function describeNeed({ gpus, gpu, cpus, memory }: Need): string {
  return sentence([
    gpus === undefined ? "" : `${plural(gpus, "GPU")}${gpu === undefined ? "" : ` (${gpu})`}`,
    cpus === undefined ? "" : plural(cpus, "CPU"),
    memory === undefined ? "" : `${memory} GiB of memory`,
  ]);
}

/** Words that are not empty, as a list for people. */
export function sentence(words: readonly string[]): string {
  const said = words.filter(word => word !== "");
  const last = said.at(-1) ?? "";
  return said.length < 2 ? last : `${said.slice(0, -1).join(", ")} and ${last}`;
}

export const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`;
