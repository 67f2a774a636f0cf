/** What machines must have, by the keys of Muster's own form. */
import type { Choice, Resources } from "@muster/core/task/resources.ts";
import type { Value } from "./nodes.ts";

type Entries = Readonly<Record<string, Value>>;

/** Resources as `resources` says them; undefined when they say nothing. */
export function resources({ anyOf, ordered, ...machine }: Resources): Entries | undefined {
  const said: Entries = { ...machineOf(machine), any_of: anyOf?.map(machineOf), ordered: ordered?.map(machineOf) };
  return Object.values(said).every(value => value === undefined) ? undefined : said;
}

const machineOf = (machine: Choice): Entries => ({
  provider: machine.provider,
  region: machine.region,
  zone: machine.zone,
  accelerators: accelerators(machine.accelerators),
  cpus: machine.cpus && bound(machine.cpus.count, machine.cpus.atLeast),
  memory: machine.memory && bound(machine.memory.gib, machine.memory.atLeast),
  instance_type: machine.instanceType,
  use_spot: machine.spot,
  spot_fallback: machine.spotFallback,
  max_hourly: machine.maxHourly === undefined ? undefined : amount(machine.maxHourly),
  reservation: machine.reservation,
  placement_group: machine.placementGroup,
  efa: machine.efa,
  network_tier: machine.networkTier,
  subnet: machine.subnet,
  security_groups: machine.securityGroups,
  tenancy: machine.tenancy,
  disk_size: machine.diskSize,
  disk_tier: machine.diskTier,
  // An image stands over those of the regions, so these say nothing beside it.
  image: machine.image ?? machine.images,
  ports: machine.ports,
  labels: machine.labels,
});

function accelerators(wanted: Choice["accelerators"]): Value {
  const entries = Object.entries(wanted ?? {});
  const [first, ...more] = entries;
  if (first === undefined) return undefined;
  return more.length > 0 ? Object.fromEntries(entries) : `${first[0]}:${decimal(first[1])}`;
}

const bound = (least: number, isOpen: boolean): Value => (isOpen ? `${decimal(least)}+` : amount(least));

/** A number, or as text when YAML 1.1 would not take it for one. */
export const amount = (value: number): Value => (String(value).includes("e") ? decimal(value) : value);

/** The number without an exponent, and with every digit that it has. */
export function decimal(value: number): string {
  const [digits = "", exponent] = String(value).split("e");
  if (exponent === undefined) return digits;
  const zeros = "0".repeat(Math.max(-Number(exponent) - 1, 0));
  return Number(exponent) < 0 ? `0.${zeros}${digits.replace(".", "")}` : value.toFixed();
}
