/** `any_of` and `ordered`: alternatives, each of which says over again some of what `resources` says for all of them. */
import type { Choice } from "@muster/core/task/resources.ts";
import { itemsOf } from "./check.ts";
import { type Draft, empty } from "./draft.ts";
import { type Field, type Keys, mapping, mistyped, type Place, type Reading, refuse, walk } from "./reading.ts";
import { isNull, type Mapping, type Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;
type FieldName = keyof Choice;

/** What an alternative says as a whole: of the same matter, nothing said for all of them holds for it any more. */
const WHOLES: Readonly<Record<string, readonly FieldName[]>> = {
  infra: ["provider", "region", "zone"],
  image_id: ["image", "images"],
  image: ["image", "images"],
};

/** What a key with nothing in it takes back. */
const FIELDS: Readonly<Record<string, readonly FieldName[]>> = {
  ...WHOLES,
  ...{ provider: ["provider"], cloud: ["provider"], region: ["region"], zone: ["zone"] },
  ...{ accelerators: ["accelerators"], gpus: ["accelerators"], cpus: ["cpus"], memory: ["memory"] },
  ...{ instance_type: ["instanceType"], use_spot: ["spot"], spot: ["spot"], spot_fallback: ["spotFallback"] },
  ...{ max_hourly: ["maxHourly"], max_hourly_cost: ["maxHourly"], disk_size: ["diskSize"], disk_tier: ["diskTier"] },
  ...{ network_tier: ["networkTier"], ports: ["ports"], labels: ["labels"], reservation: ["reservation"] },
};

interface Alternative {
  readonly choice: Choice;
  /** Fields in which it takes nothing from what is said for all. */
  readonly own: ReadonlySet<FieldName>;
}

/** Reads the alternatives by `keys`, the machine's keys. Stands last in its table: what is said for all is read by then. */
export function choices(list: "anyOf" | "ordered", keys: Keys<Draft>): ReadField {
  return (reading, value, at, out) => {
    if (value.kind !== "list") return mistyped(reading, value, at, "a list of maps");
    if (value.items.length === 0) return refuse(reading, at, "has no alternative in it", "leave the key out");
    const { resources } = out.task;
    const read = itemsOf(value.items, at).flatMap(([item, place], index) =>
      alternative(reading, item, place, keys, `resources.${list}.${index}`),
    );
    if (read.length === 0 || !isFree(reading, out, at)) return;
    reading.origins.set(`resources.${list}`, at);
    handDown(resources, read);
    resources[list] = read.map(({ choice }) => choice);
  };
}

/** Alternatives are said once, as SkyPilot has it. */
function isFree(reading: Reading, { task: { resources } }: Draft, at: Place): boolean {
  const gpus = reading.origins.get("resources.accelerators");
  const other = reading.origins.get("resources.anyOf") ?? reading.origins.get("resources.ordered");
  const isSeveral = Object.keys(resources.accelerators ?? {}).length > 1 || (other !== undefined && other === gpus);
  if (gpus !== undefined && isSeveral)
    refuse(reading, at, `cannot stand beside several accelerators in ${gpus.path}`, "write each as an alternative");
  else if (other !== undefined) refuse(reading, at, `cannot stand beside ${other.path}: one of them decides`);
  else return true;
  return false;
}

/** Read as a task's `resources` are, with places of its own. */
function alternative(reading: Reading, item: Node, at: Place, keys: Keys<Draft>, field: string): Alternative[] {
  const map = mapping(reading, item, at);
  if (map === undefined) return [];
  const its: Reading = { ...reading, origins: new Map() };
  const part = empty("stop");
  walk(its, map, at.path, keys, part);
  for (const [key, place] of its.origins) reading.origins.set(key.replace(/^resources/, field), place);
  reading.origins.set(field, at);
  const { anyOf, ordered, ...choice } = part.task.resources;
  if (anyOf !== undefined || ordered !== undefined)
    refuse(reading, at, "names several accelerators, of which one decides", "write each as an alternative");
  return [{ choice, own: ownFields(map) }];
}

function ownFields(map: Mapping): Set<FieldName> {
  const fields = [...map.entries].flatMap(([key, { value }]) => {
    const table = isNull(value) ? FIELDS : WHOLES;
    return Object.hasOwn(table, key) ? (table[key] ?? []) : [];
  });
  return new Set(fields);
}

/** Moves what not all of them take from what is said for all to those that do. */
function handDown(base: Choice, alternatives: readonly Alternative[]): void {
  const fields = new Set(alternatives.flatMap(({ own }) => [...own]));
  for (const field of fields) {
    const value = base[field];
    if (value === undefined) continue;
    delete base[field];
    const heirs = alternatives.filter(({ choice, own }) => !own.has(field) && choice[field] === undefined);
    for (const { choice } of heirs) Object.assign(choice, { [field]: value });
  }
}
