/** Machine types in words: shapes, sizes and prices. */
import type { Resources } from "@muster/core/task/task.ts";
import type { MachineType } from "../../catalog/catalog.ts";
import type { Wish } from "./match.ts";

/** How many other shapes are named. */
export const FEW = 4;

export const list = (parts: readonly string[]): string => parts.join(" or ");

export const few = (names: readonly string[]): string =>
  names.length <= FEW ? names.join(", ") : `${names.slice(0, FEW).join(", ")} and ${names.length - FEW} more`;

/** `3 A100`. */
export const wish = ({ name, count }: Wish): string => `${count} ${name}`;

const wishesOf = (type: MachineType): readonly Wish[] =>
  Object.entries(type.accelerators ?? {}).map(([name, count]) => ({ name, count }));

/** `8 A100`. */
export const devices = (type: MachineType): string => list(wishesOf(type).map(wish)) || "no accelerator";

/** `A100:8`, as a task asks for it. */
export const spelled = (type: MachineType): string =>
  wishesOf(type)
    .map(({ name, count }) => `${name}:${count}`)
    .join(", ");

export const size = (type: MachineType): string => `${type.cpus} vCPUs and ${type.memory} GiB`;

export const dollars = (amount: number): string =>
  `$${amount < 1 ? amount.toFixed(4).replace(/0{1,2}$/, "") : amount.toFixed(2)}`;

const priceOf = ({ onDemand }: MachineType): string =>
  onDemand === undefined ? "(no price known)" : `${dollars(onDemand)}/h`;

/** `A100:8 p4d.24xlarge $21.96/h`. */
export const shape = (type: MachineType): string => `${spelled(type)} ${type.name} ${priceOf(type)}`;

/** `4 vCPUs and 16 GiB (m7i.xlarge $0.2016/h)`. */
export const sized = (type: MachineType): string => `${size(type)} (${type.name} ${priceOf(type)})`;

export const cheapest = (types: readonly MachineType[]): readonly MachineType[] =>
  types.toSorted((a, b) => (a.onDemand ?? Infinity) - (b.onDemand ?? Infinity) || (a.name < b.name ? -1 : 1));

/** One of each kind, the first. */
export function distinct(types: readonly MachineType[], kind: (type: MachineType) => string): readonly MachineType[] {
  const first = new Map<string, MachineType>();
  for (const type of types) if (!first.has(kind(type))) first.set(kind(type), type);
  return [...first.values()];
}

/** What was asked for beside accelerators. */
export function asked({ cpus, memory }: Resources): string {
  const parts = [
    cpus && `${cpus.atLeast ? "at least" : "exactly"} ${cpus.count} vCPUs`,
    memory && `${memory.atLeast ? "at least" : "exactly"} ${memory.gib} GiB`,
  ];
  return parts.filter(part => part !== undefined).join(" and ");
}

/** What to type to ask for no less, in place of exactly that. */
export function loosened({ cpus, memory }: Resources): string {
  const parts = [cpus && `--resources.cpus ${cpus.count}+`, memory && `--resources.memory ${memory.gib}+`];
  return parts.filter(part => part !== undefined).join(" ");
}
