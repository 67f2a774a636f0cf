/** XT's compute targets as Muster's: a provider, and what is asked of its machines. */
import type { Resources } from "@muster/core/task/task.ts";
import { fitting } from "../clusters.ts";
import type { TargetDraft } from "../draft.ts";
import { claim, defer, mapping, type Place, type Reading, refuse, similar } from "../reading.ts";
import { find, join, type Mapping, type Node } from "../yaml/tree.ts";
import { truth } from "./check.ts";
import { expansion, isCompute, type Services } from "./services.ts";

/** The service of boxes, which no config needs to name. */
const POOL = "pool";
const HERE = ["localhost", "127.0.0.1"];
/** Properties that say which part of a service it is; Muster's providers have no such parts. */
const PARTS = ["vc", "cluster", "queue", "compute"];
const ASIDE: Readonly<Record<string, string>> = {
  "box-class": "says by which shell XT starts a script; Muster's are run by bash",
  name: "is a name for people; Muster's targets have one name",
};

/** What targets refer to. */
export interface Config {
  readonly root: Mapping;
  readonly services: Services;
}

type Said = (key: string) => string | undefined;

/** Reads `compute-targets`, which were checked against their shape. */
export function targetsOf(reading: Reading, config: Config): TargetDraft[] {
  const entry = config.root.entries.get("compute-targets");
  const at = { path: "compute-targets", line: entry?.line };
  const map = entry?.value.kind === "map" ? entry.value : undefined;
  if (entry === undefined) {
    refuse(reading, { path: "" }, "is an XT config without compute-targets, and nothing else of one is taken over");
    return [];
  }
  if (map === undefined || map.entries.size === 0) {
    refuse(reading, at, "names no target, and nothing else of an XT config is taken over");
    return [];
  }
  return [...map.entries].flatMap(([name, { value, line }]) => {
    const place = { path: join(at.path, name), line };
    const its = { ...reading, origins: new Map() };
    return value.kind === "map" ? some(targetOf(its, config, name, value, place)) : [];
  });
}

const some = (target: TargetDraft | undefined): TargetDraft[] => (target === undefined ? [] : [target]);

function targetOf(reading: Reading, config: Config, name: string, map: Mapping, at: Place): TargetDraft | undefined {
  const before = reading.issues.length;
  const fit = fitting(reading, name, at);
  const placeOf = (key: string): Place => ({ path: join(at.path, key), line: map.entries.get(key)?.line ?? at.line });
  const said: Said = key => textOf(find(map, [key]));
  for (const [key, { value }] of map.entries) expansion(reading, value, placeOf(key));
  const provider = providerOf(reading, config, map, said, placeOf);
  const resources = resourcesOf(reading, config, map, said, placeOf);
  const nodes = nodesOf(reading, map, placeOf("nodes"));
  for (const key of PARTS.filter(key => said(key) !== undefined))
    defer(reading, placeOf(key), "a part of a service; Muster's providers have none");
  for (const [key, why] of Object.entries(ASIDE).filter(([key]) => said(key) !== undefined))
    reading.warnings.push(`${placeOf(key).path}: ${why}`);
  if (fit === undefined || provider === undefined || reading.issues.length > before) return undefined;
  return { name: fit, resources: { provider, ...resources }, ...(nodes !== undefined && { nodes }) };
}

const textOf = (node: Node | undefined): string | undefined =>
  node?.kind === "scalar" && typeof node.value === "string" && node.text !== "" ? node.text : undefined;

type PlaceOf = (key: string) => Place;

function providerOf(reading: Reading, config: Config, map: Mapping, said: Said, placeOf: PlaceOf): string | undefined {
  const service = said("service");
  const at = placeOf("service");
  if (service === undefined) return undefined;
  const type = config.services.get(service);
  if (type === undefined && service === POOL) return poolOf(reading, config, map, placeOf("boxes"));
  if (type === undefined) {
    // A service that is there and has something wrong with it was told so.
    if (find(config.root, ["external-services", service]) !== undefined) return undefined;
    const known = [...config.services.keys(), POOL];
    return refuse(reading, at, `'${service}' is not defined under external-services`, similar(service, known));
  }
  if (isCompute(type)) return type;
  return refuse(reading, at, `'${service}' is a service of the type '${type}', on which nothing runs`);
}

/** Boxes on this machine are Muster's local provider; those elsewhere are hosts of one's own. */
function poolOf(reading: Reading, { root }: Config, map: Mapping, at: Place): string {
  const boxes = find(map, ["boxes"]);
  const names = boxes?.kind === "list" ? boxes.items.map(item => textOf(item) ?? "") : [];
  for (const [index, name] of names.entries()) {
    const isKnown = HERE.includes(name) || name === "local" || find(root, ["boxes", name]) !== undefined;
    const known = find(root, ["boxes"]);
    const others = known?.kind === "map" ? [...known.entries.keys()] : [];
    if (!isKnown && !/[.:@]/.test(name))
      refuse(
        reading,
        { path: `${at.path}.${index}`, line: at.line },
        `'${name}' is not defined under boxes`,
        similar(name, others),
      );
  }
  const isHere = names.every(name =>
    HERE.includes(textOf(find(root, ["boxes", name, "address"])) ?? (name === "local" ? "localhost" : name)),
  );
  if (!isHere) defer(reading, at, "hosts of your own; name a provider that makes them");
  return isHere ? "local" : "byo";
}

function nodesOf(reading: Reading, map: Mapping, at: Place): number | undefined {
  const node = find(map, ["nodes"]);
  if (node?.kind !== "scalar" || typeof node.value !== "number") return undefined;
  return node.value >= 1 && node.value <= 1024 ? node.value : refuse(reading, at, "must be from 1 to 1024");
}

function resourcesOf(reading: Reading, config: Config, map: Mapping, said: Said, placeOf: PlaceOf): Resources {
  const resources: Resources = {};
  for (const key of ["vm-size", "sku"]) {
    const size = said(key);
    if (size !== undefined && claim(reading, "instanceType", placeOf(key))) resources.instanceType = size;
  }
  const spot = truth(find(map, ["low-pri"]));
  if (spot !== undefined) resources.spot = spot;
  const image = imageOf(reading, config, said, placeOf);
  if (image !== undefined) resources.image = image;
  setup(reading, config, said, placeOf("setup"));
  return resources;
}

function imageOf(reading: Reading, config: Config, said: Said, placeOf: PlaceOf): string | undefined {
  const azure = said("azure-image");
  const name = said("docker");
  if (name === undefined) return azure;
  const docker = defined(reading, config, "dockers", name, placeOf("docker"));
  if (docker === undefined) return azure;
  if (azure !== undefined)
    reading.warnings.push(`${placeOf("azure-image").path}: is not used beside docker, which names the image`);
  const [registry, image] = ["registry", "image"].map(key => textOf(find(docker, [key])));
  return `docker:${[registry, image].filter(part => part !== undefined).join("/")}`;
}

/** What XT would install on the hosts of a target. */
function setup(reading: Reading, config: Config, said: Said, at: Place): undefined {
  const name = said("setup");
  if (name === undefined || name === "local") return;
  const map = find(config.root, ["setups", name]);
  if (map === undefined)
    return defer(reading, at, `'${name}' is defined in another of XT's files; name what it installs in your tasks`);
  const lists = ["conda-packages", "pip-packages"].map(key => find(map, [key]));
  const installs = lists.some(list => list?.kind === "list" && list.items.length > 0);
  const activate = textOf(find(map, ["activate"])) !== undefined;
  if (installs) defer(reading, at, "packages that a target installs; name them under packages in your tasks");
  if (activate) defer(reading, at, "a command that each script begins with; put it at the beginning of your run");
}

/** A thing that another section defines. */
function defined(reading: Reading, { root }: Config, section: string, name: string, at: Place): Node | undefined {
  const node = find(root, [section, name]);
  if (node !== undefined) return node;
  const map = find(root, [section]);
  const known = map?.kind === "map" ? [...map.entries.keys()] : [];
  return refuse(reading, at, `'${name}' is not defined under ${section}`, similar(name, known));
}

/** The target that XT takes when it is told none must be one. */
export function defaultTarget(reading: Reading, { root }: Config): void {
  const node = find(root, ["xt-services", "target"]);
  const name = textOf(node);
  if (name === undefined || name === "local" || name === "local-docker") return;
  const known = ["compute-targets", "boxes"].flatMap(section => {
    const map = mapping(reading, find(root, [section]) ?? { kind: "map", entries: new Map() }, { path: section });
    return map === undefined ? [] : [...map.entries.keys()];
  });
  const at = { path: "xt-services.target", line: node?.line };
  if (!known.includes(name))
    refuse(reading, at, `'${name}' is not defined under compute-targets or boxes`, similar(name, known));
  else reading.warnings.push(`${at.path}: Muster has no default target; name it with --target ${name}`);
}
