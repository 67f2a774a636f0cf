/** The services that an XT config names, and what machines they stand for. No value of theirs is ever shown. */
import { defer, mapping, type Place, type Reading, refuse, similar } from "../reading.ts";
import { find, isNull, join, type Mapping, type Node } from "../yaml/tree.ts";
import { checkMap } from "./check.ts";
import { computes, providers, services as shapes } from "./schema.ts";

/** A service by its name: what its type is. */
export type Services = ReadonlyMap<string, string>;

const VAULT = "$vault";
/** Texts that XT fills in. A secret may have a dollar sign of its own. */
const FILLED = /\$(?:vault|username|scriptdir|current_conda_env|call|export)\b|^\$[a-z_]+$/i;

/** The classes that the config registers for compute, by the types of service that they are for. */
export function registered(reading: Reading, root: Mapping): readonly string[] {
  const entry = root.entries.get("providers");
  if (entry === undefined) return [];
  const at = { path: "providers", line: entry.line };
  for (const [kind, { value, line }] of mapping(reading, entry.value, at)?.entries ?? []) {
    const place = { path: join(at.path, kind), line };
    if (providers.includes(kind)) classes(reading, value, place);
    else refuse(reading, place, "is not a kind of provider that XT has", meant(kind));
  }
  const compute = find(root, ["providers", "compute"]);
  return compute?.kind === "map" ? [...compute.entries.keys()] : [];
}

/** XT's own guide has this slip. */
const meant = (kind: string): string | undefined =>
  kind === "comopute" ? "did you mean 'compute'? XT's guide misspells it so" : similar(kind, providers);

function classes(reading: Reading, node: Node, at: Place): void {
  for (const [name, { value, line }] of mapping(reading, node, at)?.entries ?? []) {
    const isClass = value.kind === "scalar" && /^[\w$]+(\.[\w$]+)+$/.test(value.text);
    if (!isClass)
      refuse(reading, { path: join(at.path, name), line }, "must be a Python class, such as package.module.Class");
  }
}

/** Reads `external-services`. */
export function servicesOf(reading: Reading, root: Mapping, own: readonly string[]): Services {
  const found = new Map<string, string>();
  const entry = root.entries.get("external-services");
  const at = { path: "external-services", line: entry?.line };
  const map = entry === undefined || isNull(entry.value) ? undefined : mapping(reading, entry.value, at);
  for (const [name, { value, line }] of map?.entries ?? []) {
    const type = serviceOf(reading, value, { path: join(at.path, name), line }, own);
    if (type !== undefined) found.set(name, type);
  }
  return found;
}

function serviceOf(reading: Reading, node: Node, at: Place, own: readonly string[]): string | undefined {
  const service = mapping(reading, node, at);
  const type = service === undefined ? undefined : typeOf(reading, service, at, own);
  if (service === undefined || type === undefined) return undefined;
  const shape = Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  if (shape !== undefined) checkMap(reading, service, at, shape);
  for (const [key, { value, line }] of service.entries) expansion(reading, value, { path: join(at.path, key), line });
  return type;
}

function typeOf(reading: Reading, service: Mapping, at: Place, own: readonly string[]): string | undefined {
  const type = service.entries.get("type");
  const place = { path: join(at.path, "type"), line: type?.line ?? at.line };
  if (type === undefined) return refuse(reading, place, "is missing", "add `type: batch`, say");
  if (type.value.kind !== "scalar" || typeof type.value.value !== "string")
    return refuse(reading, place, "must be text");
  const { text } = type.value;
  if (Object.hasOwn(shapes, text) || own.includes(text)) return text;
  const known = [...Object.keys(shapes), ...own];
  return refuse(
    reading,
    place,
    `'${text}' is no type of service that XT has`,
    similar(text, known) ?? "register one of your own under providers.compute",
  );
}

/** XT puts other values in the place of some; the one for its vault is for secrets. */
export function expansion(reading: Reading, node: Node, at: Place): void {
  if (node.kind === "list")
    for (const [index, item] of node.items.entries())
      expansion(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line });
  if (node.kind !== "scalar" || !FILLED.test(node.text)) return;
  if (node.text === VAULT) defer(reading, at, "a value in XT's vault; keep it with `muster secrets set NAME`");
  else refuse(reading, at, "has a value that XT fills in, and Muster does not", "write the value itself");
}

/** Whether jobs run on services of this type. */
export const isCompute = (type: string): boolean => computes.includes(type) || !Object.hasOwn(shapes, type);
