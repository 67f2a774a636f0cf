/** The keys under `resources`, of Muster's own form and of Oumi's. */
import { accelerators } from "./accelerators.ts";
import { autostop } from "./autostop.ts";
import { choices } from "./choices.ts";
import type { Draft } from "./draft.ts";
import * as Elsewhere from "./elsewhere.ts";
import { image, imageMap } from "./image.ts";
import { infra, provider } from "./infra.ts";
import * as Machine from "./machine.ts";
import { ports } from "./ports.ts";
import { claim, type Field, type Keys, mapping, refuse, walk } from "./reading.ts";
import { recovery } from "./retry.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

const gpus: ReadField = (reading, value, at, out) => {
  const read = accelerators(reading, value, at);
  if (read === undefined) return;
  if ("any" in read) {
    out.task.resources.accelerators = read.any;
    return;
  }
  reading.origins.set(`resources.${read.list}`, at);
  out.task.resources[read.list] = read.choices;
};

const openPorts: ReadField = (reading, value, at, out) => {
  if (claim(reading, "resources.ports", at)) out.task.resources.ports = ports(reading, value, at);
};

const autostopKey: ReadField = (reading, value, at, out) => {
  const read = autostop(reading, value, at);
  if (read !== undefined) out.idle = read;
};

/** A key that is said once, and not of some of the hosts. */
const elsewhere =
  (message: string, suggestion: string): ReadField =>
  (reading, _value, at) => {
    refuse(reading, at, message, suggestion);
  };

/** Keys of one machine in Muster's own form, SkyPilot's among them. */
const machine: Keys<Draft> = {
  provider,
  cloud: provider,
  infra,
  region: Machine.words("region"),
  zone: Machine.words("zone"),
  accelerators: gpus,
  gpus,
  cpus: Machine.cpus,
  memory: Machine.memory,
  instance_type: Machine.words("instanceType"),
  use_spot: Machine.spot,
  spot: Machine.spot,
  spot_fallback: Machine.spotFallback,
  max_hourly: Machine.maxHourly,
  max_hourly_cost: Machine.maxHourly,
  reservation: Machine.words("reservation"),
  placement_group: Machine.whether("placementGroup"),
  efa: Machine.whether("efa"),
  network_tier: Machine.networkTier,
  subnet: Machine.words("subnet"),
  security_groups: Machine.securityGroups,
  tenancy: Machine.tenancy,
  disk_size: Machine.diskSize,
  disk_tier: Machine.diskTier,
  image_id: image,
  image,
  ports: openPorts,
  labels: Machine.labels,
  accelerator_args: Elsewhere.acceleratorArgs,
  local_disk: Elsewhere.localDisk,
  ephemeral_storage: Elsewhere.ephemeralStorage,
  volumes: Elsewhere.diskVolumes,
};

const once = elsewhere("is said once, for all alternatives", "write it beside them, in resources");

/** Keys of one alternative. */
const ofChoice: Keys<Draft> = {
  ...machine,
  autostop: once,
  priority: once,
  priority_class: once,
  job_recovery: once,
  spot_recovery: once,
  hooks: once,
  preemption: once,
  preemption_hook: once,
  termination_hook: once,
  any_of: elsewhere("is an alternative among alternatives", "write all of them in one list"),
  ordered: elsewhere("is an alternative among alternatives", "write all of them in one list"),
};

const alternatives: Keys<Draft> = {
  any_of: choices("anyOf", ofChoice),
  ordered: choices("ordered", ofChoice),
};

/** Keys of `resources` in Muster's own form. */
export const own: Keys<Draft> = {
  ...machine,
  autostop: autostopKey,
  priority: Machine.skypilotPriority,
  job_recovery: recovery,
  spot_recovery: recovery,
  priority_class: Elsewhere.priorityClass,
  hooks: Elsewhere.hooks,
  preemption: Elsewhere.hook,
  preemption_hook: Elsewhere.hook,
  termination_hook: Elsewhere.hook,
  ...alternatives,
};

/** Keys of one group of hosts: when a cluster stops, and when its jobs run, is said of all of it. */
export const ofGroup: Keys<Draft> = {
  ...machine,
  autostop: elsewhere("is said of the whole cluster", "write idle beside groups"),
  priority: elsewhere("is said of the job", "write priority beside groups"),
  job_recovery: elsewhere("is said of the job", "write retry beside groups"),
  spot_recovery: elsewhere("is said of the job", "write retry beside groups"),
  ...alternatives,
};

/** Keys of an Oumi job. */
export const oumi: Keys<Draft> = {
  cloud: provider,
  region: Machine.words("region"),
  zone: Machine.words("zone"),
  accelerators: gpus,
  cpus: Machine.cpus,
  memory: Machine.memory,
  instance_type: Machine.words("instanceType"),
  use_spot: Machine.spot,
  disk_size: Machine.diskSize,
  disk_tier: Machine.words("diskTier", tier => tier.toLowerCase()),
  image_id: image,
  image_id_map: imageMap,
  config_overrides: { why: "settings of another launcher" },
};

/** Reads `resources` by one of the tables. */
export function resources(keys: Keys<Draft>): ReadField {
  return (reading, value, at, out) => {
    const map = mapping(reading, value, at);
    if (map === undefined) return;
    reading.origins.set("resources", at);
    walk(reading, map, at.path, keys, out);
  };
}
