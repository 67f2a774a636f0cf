/** `any_of` and `ordered`: alternatives, each of which says over again some of what `resources` says for all of them. */
import { type Choice, MOST_CHOICES, type Resources } from "@muster/core/task/resources.ts";
import { itemsOf } from "./check.ts";
import { ofAlternatives } from "./container.ts";
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

const TOO_MANY = `makes more than ${MOST_CHOICES} alternatives, each with each of its accelerators, which is Muster's bound`;

interface Alternative {
  readonly choice: Choice;
  /** Fields in which it takes nothing from what is said for all. */
  readonly own: ReadonlySet<FieldName>;
  /** Of a container, where it names one for its machine's. */
  readonly image: string | undefined;
  readonly at: Place;
  /** Canonical field, as in `resources.cpus`, to its place. */
  readonly origins: ReadonlyMap<string, Place>;
}

/** Reads the alternatives by `keys`, the machine's keys. Stands last in its table: what is said for all is read by then. */
export function choices(list: "anyOf" | "ordered", keys: Keys<Draft>): ReadField {
  return (reading, value, at, out) => {
    if (value.kind !== "list") return mistyped(reading, value, at, "a list of maps");
    if (value.items.length === 0) return refuse(reading, at, "has no alternative in it", "leave the key out");
    const read = itemsOf(value.items, at).flatMap(([item, place]) => alternative(reading, item, place, keys));
    ofAlternatives(reading, read, out);
    const { resources } = out.task;
    const gpus = byAccelerator(reading, resources);
    const other = reading.origins.get("resources.anyOf") ?? reading.origins.get("resources.ordered");
    if (other !== undefined) return refuse(reading, at, `cannot stand beside ${other.path}: one of them decides`);
    const all = read.flatMap(one => (hasAccelerators(one) ? [one] : each(one, gpus)));
    reading.origins.set(`resources.${list}`, at);
    if (all.length > MOST_CHOICES) return refuse(reading, at, TOO_MANY, "name those that you would take");
    if (all.length > 0) resources[list] = handedDown(reading, list, resources, all);
  };
}

/** What the accelerators beside the alternatives have made, taken back: each of those is meant with each of these. */
function byAccelerator(reading: Reading, resources: Resources): readonly Choice[] {
  const gpus = reading.origins.get("resources.accelerators");
  for (const list of ["anyOf", "ordered"] as const) {
    const made = resources[list];
    if (made === undefined || reading.origins.get(`resources.${list}`) !== gpus) continue;
    delete resources[list];
    reading.origins.delete(`resources.${list}`);
    return made;
  }
  return [{}];
}

const hasAccelerators = ({ choice, own }: Alternative): boolean =>
  choice.accelerators !== undefined || own.has("accelerators");

const each = (one: Alternative, choices: readonly Choice[]): Alternative[] =>
  choices.slice(0, MOST_CHOICES + 1).map(choice => ({ ...one, choice: { ...one.choice, ...choice } }));

/** Read as a task's `resources` are, with places of its own; several, when it names several accelerators of which one decides. */
function alternative(reading: Reading, item: Node, at: Place, keys: Keys<Draft>): Alternative[] {
  const map = mapping(reading, item, at);
  if (map === undefined) return [];
  const its: Reading = { ...reading, origins: new Map() };
  const part = empty("stop");
  walk(its, map, at.path, keys, part);
  const { anyOf, ordered, ...choice } = part.task.resources;
  const origins = new Map([...its.origins].filter(([field]) => field !== "container")).set("resources", at);
  const one = { choice, own: ownFields(map), image: part.task.container?.image, at, origins };
  const made = anyOf ?? ordered;
  return made === undefined ? [one] : each(one, made);
}

function ownFields(map: Mapping): Set<FieldName> {
  const fields = [...map.entries].flatMap(([key, { value }]) => {
    const table = isNull(value) ? FIELDS : WHOLES;
    return Object.hasOwn(table, key) ? (table[key] ?? []) : [];
  });
  return new Set(fields);
}

/** Moves what not all of them take from what is said for all to those that do, and notes where each was said. */
function handedDown(
  reading: Reading,
  list: "anyOf" | "ordered",
  base: Choice,
  alternatives: readonly Alternative[],
): Choice[] {
  for (const [index, { origins }] of alternatives.entries())
    for (const [field, place] of origins)
      reading.origins.set(field.replace(/^resources/, `resources.${list}.${index}`), place);
  const fields = new Set(alternatives.flatMap(({ own }) => [...own]));
  for (const field of fields) {
    const value = base[field];
    if (value === undefined) continue;
    delete base[field];
    const heirs = alternatives.filter(({ choice, own }) => !own.has(field) && choice[field] === undefined);
    for (const { choice } of heirs) Object.assign(choice, { [field]: value });
  }
  return alternatives.map(({ choice }) => choice);
}
