/** What one machine must have: the keys of `resources` that are of one value each. */
import { entriesOf, itemsOf, word } from "./check.ts";
import type { Draft } from "./draft.ts";
import { count, dollars, size } from "./quantity.ts";
import {
  claim,
  type Field,
  flag,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  text,
  whole,
} from "./reading.ts";
import { spell } from "./yaml/scalar.ts";
import type { Node } from "./yaml/tree.ts";

type Words = "region" | "zone" | "instanceType" | "diskTier" | "reservation" | "subnet";
type Flags = "spot" | "placementGroup" | "efa";
type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

const TIERS = ["low", "medium", "high", "ultra", "best"];
/** How a label's key begins that AWS keeps for itself. */
const RESERVED_LABEL = /^aws:/i;

/** A key whose text is a field as it stands. */
export function words(field: Words, change: (text: string) => string = same => same): ReadField {
  return (reading, value, at, out) => {
    const read = text(reading, value, at)?.trim();
    if (read === undefined || !claim(reading, `resources.${field}`, at)) return;
    if (read === "") refuse(reading, at, "is empty", "leave the key out");
    else out.task.resources[field] = change(read);
  };
}

/** A key that is true or false. */
export function whether(field: Flags): ReadField {
  return (reading, value, at, out) => {
    const read = flag(reading, value, at);
    if (read !== undefined && claim(reading, `resources.${field}`, at)) out.task.resources[field] = read;
  };
}

export const spot = whether("spot");

/** Read after `use_spot`, without which it says nothing. */
export const spotFallback: ReadField = (reading, value, at, out) => {
  const read = flag(reading, value, at);
  if (read === undefined || !claim(reading, "resources.spotFallback", at)) return;
  out.task.resources.spotFallback = read;
  if (read && out.task.resources.spot !== true)
    reading.warnings.push(`${at.path}: says nothing without use_spot: true, and machines are on demand as it is`);
};

/** Of one machine, as SkyPilot's `max_hourly_cost` is: there it sorts out instance types by their price. */
export const maxHourly: ReadField = (reading, value, at, out) => {
  const read = dollars(reading, value, at);
  if (read !== undefined && claim(reading, "resources.maxHourly", at)) out.task.resources.maxHourly = read;
};

export const cpus: ReadField = (reading, value, at, out) => {
  const read = count(reading, value, at);
  if (read === undefined || !claim(reading, "resources.cpus", at)) return;
  out.task.resources.cpus = { count: read.amount, atLeast: read.atLeast };
};

export const memory: ReadField = (reading, value, at, out) => {
  const read = size(reading, value, at);
  if (read === undefined || !claim(reading, "resources.memory", at)) return;
  out.task.resources.memory = { gib: read.amount, atLeast: read.atLeast };
};

export const diskSize: ReadField = (reading, value, at, out) => {
  const read = reading.dialect === "oumi" ? whole(reading, value, at) : size(reading, value, at)?.amount;
  if (read === undefined || !claim(reading, "resources.diskSize", at)) return;
  const gigabytes = reading.dialect === "skypilot" ? floored(reading, read, at) : read;
  if (Number.isInteger(gigabytes)) out.task.resources.diskSize = gigabytes;
  else refuse(reading, at, "must be a whole number of GB");
};

/** SkyPilot takes whole gigabytes of what is said, and says nothing of it. */
function floored(reading: Reading, size: number, at: Place): number {
  const whole = Math.floor(size);
  if (whole === size || whole === 0) return size;
  reading.warnings.push(`${at.path}: is taken as ${whole} GB, as SkyPilot takes it`);
  return whole;
}

export const diskTier: ReadField = (reading, value, at, out) => {
  const read = word(reading, value, at, TIERS);
  if (read !== undefined && claim(reading, "resources.diskTier", at)) out.task.resources.diskTier = read;
};

export const networkTier: ReadField = (reading, value, at, out) => {
  const read = word(reading, value, at, ["standard", "best"]);
  if (read !== undefined && claim(reading, "resources.networkTier", at)) out.task.resources.networkTier = read;
};

export const tenancy: ReadField = (reading, value, at, out) => {
  const read = word(reading, value, at, ["default", "dedicated"]);
  if (read !== undefined && claim(reading, "resources.tenancy", at)) out.task.resources.tenancy = read;
};

/** One id, or a list of them. */
export const securityGroups: ReadField = (reading, value, at, out) => {
  if (!claim(reading, "resources.securityGroups", at)) return;
  const items = value.kind === "list" ? itemsOf(value.items, at) : [[value, at] as const];
  const read = items.flatMap(([item, place]) => text(reading, item, place) ?? []);
  if (items.length === 0) refuse(reading, at, "names no security group", "leave the key out");
  else out.task.resources.securityGroups = read;
};

export const labels: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map === undefined) return;
  const read = entriesOf(map, at).flatMap(([key, node, place]) => label(reading, key, node, place));
  out.task.resources.labels = Object.fromEntries(read);
};

function label(reading: Reading, key: string, value: Node, at: Place): [string, string][] {
  const spelled = labelText(reading, value, at);
  if (!claim(reading, `resources.labels.${key}`, at) || spelled === undefined) return [];
  if (key.trim() === "") refuse(reading, at, "has no name");
  if (RESERVED_LABEL.test(key)) refuse(reading, at, "must not begin with 'aws:', which AWS keeps for itself");
  return [[key, spelled]];
}

/** SkyPilot wants text; Muster's own form takes numbers for it. */
function labelText(reading: Reading, value: Node, at: Place): string | undefined {
  if (reading.dialect === "skypilot") return text(reading, value, at);
  return value.kind === "scalar" && value.value !== null ? spell(value) : mistyped(reading, value, at, "text");
}

const LEAST_SKYPILOT = -1000;
const MOST = 1000;

/** SkyPilot's -1000 to 1000, on Muster's scale from 0 to 1000. */
export const skypilotPriority: ReadField = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read === undefined || !claim(reading, "priority", at)) return;
  if (read < LEAST_SKYPILOT || read > MOST) refuse(reading, at, `must be from ${LEAST_SKYPILOT} to ${MOST}`);
  else out.priority = Math.round((read - LEAST_SKYPILOT) / 2);
};

/** Muster's own, from 0 to 1000. */
export const priority: ReadField = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read === undefined || !claim(reading, "priority", at)) return;
  if (read < 0 || read > MOST) refuse(reading, at, `must be from 0 to ${MOST}`);
  else out.priority = read;
};
