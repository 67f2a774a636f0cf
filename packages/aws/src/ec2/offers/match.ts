/** Which machine types are what was asked for, wherever they stand and whatever they cost. */
import { canonical } from "@muster/core/accelerator/names.ts";
import { savedOf } from "@muster/core/image/name.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { MachineType } from "../../catalog/catalog.ts";

/** What a machine has at least when nothing was asked for: vCPUs and GiB. */
export interface Defaults {
  readonly cpus: number;
  readonly memory: number;
}
export const DEFAULTS: Defaults = { cpus: 4, memory: 16 };

/** GiB per vCPU when only vCPUs were asked for, as SkyPilot has it; files that rely on it would run out of memory. */
const GIB_PER_CPU = 4;

export interface Wish {
  readonly name: string;
  readonly count: number;
}

/** The accelerators asked for, by canonical names; any of them will do. */
export const wishes = ({ accelerators = {} }: Resources): readonly Wish[] =>
  Object.entries(accelerators).map(([name, count]) => ({ name: canonical(name), count }));

export const isNamed = (type: MachineType, { instanceType }: Resources): boolean =>
  instanceType !== undefined && type.name === instanceType.toLowerCase();

/** Types with what was asked for. Whoever names no type gets none that is peculiar, such as bare metal. */
export function match(types: readonly MachineType[], resources: Resources, defaults: Defaults): readonly MachineType[] {
  const pool = types.filter(type =>
    resources.instanceType === undefined ? isPlain(type, archOf(resources)) : isNamed(type, resources),
  );
  const fit = pool.filter(
    type => hasAccelerators(type, resources) && hasSize(type, resources) && hasNetwork(type, resources),
  );
  return asksForNoSize(resources) ? fit.filter(type => isUsual(type, defaults)) : roomy(fit, resources);
}

/** What machines are of when nobody says: what the image that they start from is for. */
export const archOf = (resources: Resources): string => savedOf(resources)?.architecture ?? "x86_64";

/** Of older generations only accelerators are still looked for: the newer machines have others. */
export const isPlain = (type: MachineType, arch = "x86_64"): boolean =>
  type.arch === arch &&
  type.metal !== true &&
  type.burstable !== true &&
  (type.previous !== true || type.accelerators !== undefined);

/** Exactly as many as were asked for: whoever asks for 4 must not pay for 8. Fractions of a GPU go by type name only. */
export function hasAccelerators(type: MachineType, resources: Resources): boolean {
  const wanted = wishes(resources);
  const own = type.accelerators ?? {};
  const named = resources.instanceType !== undefined;
  if (wanted.length === 0) return named || Object.keys(own).length === 0;
  return wanted.some(({ name, count }) => own[name] === count && (named || Number.isInteger(count)));
}

export function hasSize(type: MachineType, { cpus, memory }: Resources): boolean {
  return fits(type.cpus, cpus?.count, cpus?.atLeast) && fits(type.memory, memory?.gib, memory?.atLeast);
}

const fits = (has: number, wanted: number | undefined, atLeast: boolean | undefined): boolean =>
  wanted === undefined || (atLeast === true ? has >= wanted : has === wanted);

const hasNetwork = (type: MachineType, { efa, placementGroup }: Resources): boolean =>
  !(efa === true && type.efa === undefined) && !(placementGroup === true && type.apart === true);

const asksForNoSize = ({ instanceType, accelerators = {}, cpus, memory }: Resources): boolean =>
  instanceType === undefined && Object.keys(accelerators).length === 0 && cpus === undefined && memory === undefined;

const isUsual = (type: MachineType, { cpus, memory }: Defaults): boolean => type.cpus >= cpus && type.memory >= memory;

/** Of what fits a request for vCPUs alone, what has the usual memory for them; all when nothing has. */
function roomy(fit: readonly MachineType[], resources: Resources): readonly MachineType[] {
  const { instanceType, cpus, memory } = resources;
  const bare = instanceType === undefined && memory === undefined && wishes(resources).length === 0;
  if (!bare || cpus === undefined) return fit;
  const some = fit.filter(type => type.memory >= GIB_PER_CPU * type.cpus);
  return some.length > 0 ? some : fit;
}
