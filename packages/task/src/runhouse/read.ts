/**
 * Runhouse's clusters: what its functions `cluster`, `ondemand_cluster` and `sagemaker_cluster` take, as a JSON object or a
 * list of them, and the configs that it saves.
 */
import { fitting, holdCluster } from "../clusters.ts";
import type { ClusterDraft } from "../draft.ts";
import { mapping, type Place, type Reading, refuse, similar, text, walk } from "../reading.ts";
import type { WholeFile } from "../whole-file.ts";
import { strayTags } from "../yaml/tags.ts";
import { find, isNull, join, type Mapping, type Node } from "../yaml/tree.ts";
import { parseJson } from "./json.ts";
import { fieldsOf, type Kind } from "./keys.ts";
import { make } from "./make.ts";
import { begin } from "./parts.ts";

const SUBTYPES: Readonly<Record<string, Kind>> = {
  Cluster: "byo",
  OnDemandCluster: "onDemand",
  SageMakerCluster: "sagemaker",
};
/** Any of these makes a cluster one of SageMaker's; `autostop_mins` does so alone. */
const SAGEMAKER = [
  "role",
  "estimator",
  "instance_count",
  "connection_wait_time",
  "job_name",
  "image_uri",
  "instance_id",
];
const ON_DEMAND = ["instance_type", "gpus", "cpus", "memory", "num_instances", "num_nodes", "provider", "use_spot"];
const BYO = ["host", "ips", "ssh_creds"];
/** Clusters that come with Runhouse, by the name after its ^. */
const PRESETS: ReadonlyMap<string, string> = new Map([
  ["rh-cpu", "CPU:2+"],
  ["rh-8-cpu", "CPU:8"],
  ["rh-32-cpu", "CPU:32"],
  ["rh-gpu", "K80:1"],
  ["rh-4-gpu", "K80:4"],
  ["rh-8-gpu", "K80:8"],
  ["rh-v100", "V100:1"],
  ["rh-4-v100", "V100:4"],
  ["rh-8-v100", "V100:8"],
]);
const MARKS = ["instance_type", "autostop_mins", "num_instances", "gpus", "ips", "ssh_creds"];
/** Names that Runhouse keeps for its file systems. */
const RESERVED = ["file", "s3", "gs", "azure", "here", "ssh", "sftp"];

/** Objects of Runhouse's, which bear keys that no task has at its top. */
export const runhouse: WholeFile = { dialect: "runhouse", parse: parseJson, found, read };

function found([root]: readonly Node[]): string | undefined {
  const item = root?.kind === "list" ? root.items[0] : root;
  if (item === undefined || find(item, ["run"]) !== undefined || find(item, ["resources"]) !== undefined)
    return undefined;
  const type = find(item, ["resource_type"]);
  if (type?.kind === "scalar" && type.text === "cluster") return "resource_type";
  // Quoted, as in JSON: in a file of Muster's own these keys are on the wrong level.
  const name = find(item, ["name"]);
  if (name?.kind !== "scalar" || name.plain) return undefined;
  return MARKS.find(key => find(item, [key]) !== undefined);
}

function read(documents: readonly Node[], reading: Reading): { readonly clusters: ClusterDraft[] } {
  const [root, ...more] = documents;
  if (more.length > 0) refuse(reading, { path: "---" }, `separates ${documents.length} documents, and JSON is one`);
  if (root === undefined) {
    refuse(reading, { path: "" }, "there is nothing in it", "a cluster has at least a name and an instance_type");
    return { clusters: [] };
  }
  reading.issues.push(...strayTags(root));
  const items = root.kind === "list" ? root.items : [root];
  if (items.length === 0) refuse(reading, { path: "", line: root.line }, "has no cluster in it");
  const clusters = items.flatMap((item, index) => {
    const at = { path: root.kind === "list" ? `[${index}]` : "", line: item.line ?? root.line };
    const map = mapping(reading, item, at);
    // Each has fields of its own, which do not contradict those of the others.
    const cluster = map === undefined ? undefined : one({ ...reading, origins: new Map() }, map, at);
    return cluster === undefined ? [] : [cluster];
  });
  return { clusters };
}

function one(reading: Reading, said: Mapping, at: Place): ClusterDraft | undefined {
  const before = reading.issues.length;
  const map = withPreset(reading, said, at);
  const kind = kindOf(reading, map, at);
  if (kind === undefined) return undefined;
  const parts = begin();
  walk(reading, map, at.path, fieldsOf(kind), parts);
  const name = nameOf(reading, map, at);
  if (reading.issues.length > before) return undefined;
  for (const [why, paths] of parts.left) reading.warnings.push(`${paths.join(", ")}: ${why}`);
  const cluster = { ...make(kind, reading, at, parts), ...(name !== undefined && { name }) };
  holdCluster(reading, cluster);
  return cluster;
}

/** A preset's machines, for a config that names one and says nothing of machines itself. */
function withPreset(reading: Reading, map: Mapping, at: Place): Mapping {
  const name = find(map, ["name"]);
  const preset = name?.kind === "scalar" && name.text.startsWith("^") ? PRESETS.get(name.text.slice(1)) : undefined;
  if (preset === undefined || [...SAGEMAKER, ...ON_DEMAND, ...BYO].some(key => has(map, key))) return map;
  reading.warnings.push(`${join(at.path, "name")}: stands for an instance_type of ${preset}`);
  const value: Node = { kind: "scalar", value: preset, text: preset, plain: false, line: name?.line };
  return { ...map, entries: new Map([...map.entries, ["instance_type", { value, line: name?.line }]]) };
}

const has = (map: Mapping, key: string): boolean => {
  const entry = map.entries.get(key);
  return entry !== undefined && !isNull(entry.value);
};

/** Which of Runhouse's three kinds of clusters it is. */
function kindOf(reading: Reading, map: Mapping, at: Place): Kind | undefined {
  const subtype = map.entries.get("resource_subtype");
  if (subtype !== undefined && !isNull(subtype.value)) {
    const place = { path: join(at.path, "resource_subtype"), line: subtype.line };
    const read = text(reading, subtype.value, place);
    if (read === undefined || Object.hasOwn(SUBTYPES, read)) return SUBTYPES[read ?? ""];
    const names = Object.keys(SUBTYPES);
    return refuse(reading, place, `must be one of ${names.join(", ")}, and is "${read}"`, similar(read, names));
  }
  return guess(reading, map, at);
}

function guess(reading: Reading, map: Mapping, at: Place): Kind | undefined {
  const isMl = find(map, ["instance_type"]);
  if (SAGEMAKER.some(key => has(map, key)) || (isMl?.kind === "scalar" && isMl.text.startsWith("ml.")))
    return "sagemaker";
  if (has(map, "instance_type")) return "onDemand";
  if (BYO.some(key => has(map, key))) return "byo";
  if (ON_DEMAND.some(key => has(map, key))) return "onDemand";
  if (has(map, "autostop_mins")) return "sagemaker";
  // What is left may be misspelled, and is told so.
  const before = reading.issues.length;
  walk(reading, map, at.path, fieldsOf("onDemand"), begin());
  if (reading.issues.length > before) return undefined;
  return refuse(
    reading,
    at,
    "names a cluster that Runhouse has saved, and says nothing of its machines",
    'add an instance_type, such as "A100:4" or "CPU:2+"',
  );
}

/** The last part of `~/name`, `@/name` or `/user/name`. A name with ^ is one of Runhouse's own presets. */
function nameOf(reading: Reading, map: Mapping, parent: Place): string | undefined {
  const entry = map.entries.get("name");
  const at = { path: join(parent.path, "name"), line: entry?.line ?? parent.line };
  if (entry === undefined || isNull(entry.value))
    return refuse(reading, at, "is missing, and every cluster of Runhouse's has one");
  const read = text(reading, entry.value, at);
  if (read === undefined) return undefined;
  const name = read.replace(/^\^/, "").split("/").at(-1) ?? "";
  if (RESERVED.includes(name)) return refuse(reading, at, `'${name}' is a name that Runhouse keeps for itself`);
  if (name !== read) reading.warnings.push(`${at.path}: of "${read}", the name here is '${name}'`);
  return fitting(reading, name, at);
}
