/** What the machine must have: the keys under `resources`, of Muster's own form and of Oumi's. */
import { accelerators } from "./accelerators.ts";
import type { Draft } from "./draft.ts";
import { autostop } from "./idle.ts";
import { ports } from "./ports.ts";
import { count, dollars, size } from "./quantity.ts";
import {
  claim,
  defer,
  type Field,
  flag,
  type Keys,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  similar,
  text,
  walk,
  whole,
} from "./reading.ts";
import { spell } from "./yaml/scalar.ts";
import { join, type Node } from "./yaml/tree.ts";

type Words = "provider" | "region" | "zone" | "instanceType" | "diskTier" | "image" | "reservation";
type Flags = "spot" | "placementGroup" | "efa";
type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

const TIERS = ["low", "medium", "high", "ultra", "best"];

/** A key whose text is a field as it stands. */
function words(field: Words, change: (text: string) => string = same => same): ReadField {
  return (reading, value, at, out) => {
    const read = text(reading, value, at)?.trim();
    if (read === undefined || !claim(reading, `resources.${field}`, at)) return;
    if (read === "") refuse(reading, at, "is empty", "leave the key out");
    else out.task.resources[field] = change(read);
  };
}

const PROVIDERS: Readonly<Record<string, string>> = { k8s: "kubernetes" };
const lower = (name: string): string => name.toLowerCase();
const cloud = (name: string): string => PROVIDERS[lower(name)] ?? lower(name);

/** A key that is true or false. */
function whether(field: Flags): ReadField {
  return (reading, value, at, out) => {
    const read = flag(reading, value, at);
    if (read !== undefined && claim(reading, `resources.${field}`, at)) out.task.resources[field] = read;
  };
}

const spot = whether("spot");

/** Read after `use_spot`, without which it says nothing. */
const spotFallback: ReadField = (reading, value, at, out) => {
  const read = flag(reading, value, at);
  if (read === undefined || !claim(reading, "resources.spotFallback", at)) return;
  out.task.resources.spotFallback = read;
  if (read && out.task.resources.spot !== true)
    reading.warnings.push(`${at.path}: says nothing without use_spot: true, and machines are on demand as it is`);
};

const maxHourly: ReadField = (reading, value, at, out) => {
  const read = dollars(reading, value, at);
  if (read !== undefined && claim(reading, "resources.maxHourly", at)) out.task.resources.maxHourly = read;
};

const gpus: ReadField = (reading, value, at, out) => {
  const read = accelerators(reading, value, at);
  if (read !== undefined) out.task.resources.accelerators = read;
};

const cpus: ReadField = (reading, value, at, out) => {
  const read = count(reading, value, at);
  if (read === undefined || !claim(reading, "resources.cpus", at)) return;
  out.task.resources.cpus = { count: read.amount, atLeast: read.atLeast };
};

const memory: ReadField = (reading, value, at, out) => {
  const read = size(reading, value, at);
  if (read === undefined || !claim(reading, "resources.memory", at)) return;
  out.task.resources.memory = { gib: read.amount, atLeast: read.atLeast };
};

const diskSize: ReadField = (reading, value, at, out) => {
  const read = reading.dialect === "oumi" ? whole(reading, value, at) : size(reading, value, at)?.amount;
  if (read === undefined || !claim(reading, "resources.diskSize", at)) return;
  if (Number.isInteger(read)) out.task.resources.diskSize = read;
  else refuse(reading, at, "must be a whole number of GB");
};

const diskTier: ReadField = (reading, value, at, out) => {
  const read = text(reading, value, at)?.toLowerCase();
  if (read === undefined || !claim(reading, "resources.diskTier", at)) return;
  if (TIERS.includes(read)) out.task.resources.diskTier = read;
  else refuse(reading, at, `must be one of ${TIERS.join(", ")}, and is "${read}"`, similar(read, TIERS));
};

const image: ReadField = (reading, value, at, out) => {
  if (value.kind === "map") defer(reading, at, "one image per region");
  else words("image")(reading, value, at, out);
};

const openPorts: ReadField = (reading, value, at, out) => {
  if (claim(reading, "resources.ports", at)) out.task.resources.ports = ports(reading, value, at);
};

const labels: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map === undefined) return;
  const read = [...map.entries].flatMap(([key, entry]) => label(reading, key, entry.value, at));
  out.task.resources.labels = Object.fromEntries(read);
};

function label(reading: Reading, key: string, value: Node, parent: Place): [string, string][] {
  const at = { path: join(parent.path, key), line: value.line ?? parent.line };
  if (value.kind !== "scalar" || value.value === null) {
    mistyped(reading, value, at, "text");
    return [];
  }
  claim(reading, `resources.labels.${key}`, at);
  return [[key, spell(value)]];
}

/** `cloud[/region[/zone]]`; `*` stands for any, and what follows `k8s/` is one name, slashes and all. */
const infra: ReadField = (reading, value, at, out) => {
  const read = text(reading, value, at);
  if (read === undefined) return;
  const parts = split(read.trim());
  if (parts.length > 3 || parts.some(part => part === "")) {
    refuse(reading, at, `must be cloud, cloud/region or cloud/region/zone, and is "${read}"`);
    return;
  }
  const fields = ["provider", "region", "zone"] as const;
  fields.forEach((field, index) => {
    const part = parts[index];
    if (part === undefined || !claim(reading, `resources.${field}`, at) || part === "*") return;
    out.task.resources[field] = field === "provider" ? cloud(part) : part;
  });
};

/** The parts of an `infra` text. */
export function split(infra: string): string[] {
  const context = /^(k8s|kubernetes)\/(.+)$/i.exec(infra);
  return context === null ? infra.split("/") : context.slice(1, 3);
}

const autostopKey: ReadField = (reading, value, at, out) => {
  const read = autostop(reading, value, at);
  if (read !== undefined) out.idle = read;
};

/** Keys of Muster's own form, SkyPilot's among them. */
export const own: Keys<Draft> = {
  provider: words("provider", lower),
  cloud: words("provider", cloud),
  infra,
  region: words("region"),
  zone: words("zone"),
  accelerators: gpus,
  gpus,
  cpus,
  memory,
  instance_type: words("instanceType"),
  use_spot: spot,
  spot,
  spot_fallback: spotFallback,
  max_hourly: maxHourly,
  reservation: words("reservation"),
  placement_group: whether("placementGroup"),
  efa: whether("efa"),
  disk_size: diskSize,
  disk_tier: diskTier,
  image_id: image,
  image,
  ports: openPorts,
  labels,
  autostop: autostopKey,
  any_of: { why: "a choice between several sets of resources" },
  ordered: { why: "a choice between several sets of resources" },
  accelerator_args: { why: "settings of TPUs" },
  job_recovery: { why: "recovery that a task file sets" },
  spot_recovery: { why: "recovery that a task file sets" },
  network_tier: { why: "a choice of network" },
  local_disk: { why: "a choice of local disks" },
  ephemeral_storage: { why: "a choice of local disks" },
  volumes: { why: "volumes" },
  max_hourly_cost: { why: "a limit on a task's price" },
  priority: { why: "a priority in the task file" },
  priority_class: { why: "a priority in the task file" },
  hooks: { why: "hooks around a cluster's end" },
};

/** Keys of one group of hosts: when a cluster stops is said of all of it. */
export const ofGroup: Keys<Draft> = {
  ...own,
  autostop: (reading, _value, at) => {
    refuse(reading, at, "is said of the whole cluster", "write idle beside groups");
  },
};

/** Keys of an Oumi job. */
export const oumi: Keys<Draft> = {
  cloud: words("provider", cloud),
  region: words("region"),
  zone: words("zone"),
  accelerators: gpus,
  cpus,
  memory,
  instance_type: words("instanceType"),
  use_spot: spot,
  disk_size: diskSize,
  disk_tier: words("diskTier", lower),
  image_id: words("image"),
  image_id_map: (reading, _value, at) => {
    // An image of its own wins over the map, in Oumi as here.
    if (!reading.origins.has("resources.image")) defer(reading, at, "one image per region");
  },
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
