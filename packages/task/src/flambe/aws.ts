/** `!AWSCluster`: one orchestrator, on which no job runs, and its factories, all on EC2. */
import type * as Group from "@muster/core/cluster/group.ts";
import type { Resources } from "@muster/core/task/task.ts";
import { clusterName, holdCluster } from "../clusters.ts";
import type { ClusterDraft } from "../draft.ts";
import { flag, type Keys, mapping, mistyped, type Place, type Reading, refuse, text, walk, whole } from "../reading.ts";
import { spell } from "../yaml/scalar.ts";
import { join, type Mapping, type Node } from "../yaml/tree.ts";
import { present, required, setupCommands } from "./common.ts";
import { policy } from "./idle.ts";

/** GB, when the file does not say. */
const DISK = 100;
/** Tags that Muster, or AWS, sets itself. */
const RESERVED = /^(?:creator|name|aws:.*|muster:.*)$/i;

/** What both kinds of hosts have. */
interface Parts {
  name?: string;
  factories?: number;
  types: { orchestrator?: string; factories?: string };
  images: { orchestrator?: string; factories?: string };
  shared: Resources;
  timeouts: { orchestrator?: number; factories?: number };
}

type Read = (reading: Reading, value: Node, at: Place, out: Parts) => void;

const filled = (reading: Reading, value: Node, at: Place): string | undefined => {
  const read = text(reading, value, at)?.trim();
  return read === "" ? refuse(reading, at, "is empty") : read;
};

/** Fields that are text as it stands. */
const typeOf =
  (role: "orchestrator" | "factories", field: "types" | "images"): Read =>
  (reading, value, at, out) => {
    const read = filled(reading, value, at);
    if (read !== undefined) out[field][role] = read;
  };

const timeout =
  (role: "orchestrator" | "factories"): Read =>
  (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read === undefined) return;
    if (read < -1) refuse(reading, at, "must be hours, 0 for as soon as it is idle, or -1 for never");
    else out.timeouts[role] = read;
  };

const volumeType: Read = (reading, value, at, out) => {
  const read = text(reading, value, at);
  if (read === undefined) return;
  if (read !== "gp2" && read !== "io1") {
    refuse(reading, at, `must be gp2 or io1, and is "${read}"`);
    return;
  }
  // Flambé's io1 disks do 5,000 operations per second; `high` is the least tier that does as many.
  if (read === "io1") out.shared.diskTier = "high";
  const made = read === "io1" ? "gp3 of the tier 'high', 8,000 operations" : "gp3, 3,000 operations";
  reading.warnings.push(`${at.path}: instead of ${read}, the disks are ${made} per second`);
};

const tags: Read = (reading, value, at, out) => {
  const labels: [string, string][] = [];
  for (const [key, entry] of mapping(reading, value, at)?.entries ?? []) {
    const place = { path: join(at.path, key), line: entry.line ?? at.line };
    if (RESERVED.test(key)) refuse(reading, place, "is a tag that Muster sets itself", "choose another name for it");
    else if (entry.value.kind !== "scalar" || entry.value.value === null) mistyped(reading, entry.value, place, "text");
    else labels.push([key, spell(entry.value)]);
  }
  if (labels.length > 0) out.shared.labels = Object.fromEntries(labels);
};

/** Read, and without a use here: what becomes of them is told in one sentence. */
const unused: Read = (reading, value, at) => {
  filled(reading, value, at);
};

const keys: Keys<Parts> = {
  name: (reading, value, at, out) => {
    const read = clusterName(reading, value, at);
    if (read !== undefined) out.name = read;
  },
  factories_num: (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read === undefined) return;
    if (read < 1) refuse(reading, at, "must be at least 1: jobs run on factories only");
    else out.factories = read;
  },
  factories_type: typeOf("factories", "types"),
  orchestrator_type: typeOf("orchestrator", "types"),
  factory_ami: typeOf("factories", "images"),
  orchestrator_ami: typeOf("orchestrator", "images"),
  key_name: unused,
  key: unused,
  username: unused,
  creator: unused,
  security_group: (reading, value, at, out) => {
    const read = filled(reading, value, at);
    if (read !== undefined) out.shared.securityGroups = [read];
  },
  subnet_id: (reading, value, at, out) => {
    const read = filled(reading, value, at);
    if (read !== undefined) out.shared.subnet = read;
  },
  region_name: (reading, value, at, out) => {
    const read = filled(reading, value, at);
    if (read !== undefined) out.shared.region = read;
  },
  volume_size: (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read === undefined) return;
    if (read < 1) refuse(reading, at, "must be GB, at least 1");
    else out.shared.diskSize = read;
  },
  volume_type: volumeType,
  tags,
  dedicated: (reading, value, at, out) => {
    if (flag(reading, value, at)) out.shared.tenancy = "dedicated";
  },
  orchestrator_timeout: timeout("orchestrator"),
  factories_timeout: timeout("factories"),
  setup_cmds: setupCommands,
};

const REQUIRED = [
  ...["name", "factories_num", "factories_type", "orchestrator_type"],
  ...["key_name", "security_group", "subnet_id", "creator", "key"],
];
const SSH_KEYS = ["key_name", "key", "username"];

/** The keys of the file by the canonical fields that they give. */
const ORIGINS: Readonly<Record<string, string>> = {
  "groups.0.resources.instanceType": "orchestrator_type",
  "groups.1.resources.instanceType": "factories_type",
  "groups.0.resources.image": "orchestrator_ami",
  "groups.1.resources.image": "factory_ami",
  "groups.1.nodes": "factories_num",
  groups: "factories_num",
  idle: "factories_timeout",
};
const SHARED: Readonly<Record<string, string>> = {
  region: "region_name",
  subnet: "subnet_id",
  securityGroups: "security_group",
  diskSize: "volume_size",
  labels: "tags",
};

/** Reads an `!AWSCluster`; undefined when something is wrong with it, which is noted. */
export function awsCluster(reading: Reading, map: Mapping): ClusterDraft | undefined {
  const parts: Parts = { types: {}, images: {}, shared: { provider: "aws", diskSize: DISK }, timeouts: {} };
  const before = reading.issues.length;
  walk(reading, map, "", keys, parts);
  required(reading, map, REQUIRED, "a Flambé cluster");
  const idle = policy(reading, map, parts.timeouts);
  if (reading.issues.length > before) return undefined;
  explain(reading, map);
  const cluster = { name: parts.name ?? "", groups: groupsOf(parts), ...(idle !== undefined && { idle }) };
  originsOf(reading, map);
  holdCluster(reading, cluster);
  return cluster;
}

function groupsOf({ types, images, shared, factories = 1 }: Parts): Group.Create[] {
  return (["orchestrator", "factories"] as const).map(role => ({
    name: role,
    nodes: role === "orchestrator" ? 1 : factories,
    schedulable: role !== "orchestrator",
    resources: {
      ...shared,
      ...(types[role] !== undefined && { instanceType: types[role] }),
      ...(images[role] !== undefined && { image: images[role] }),
    },
  }));
}

function explain({ warnings }: Reading, map: Mapping): void {
  const ssh = SSH_KEYS.filter(key => present(map, key));
  warnings.push(`${ssh.join(", ")}: Muster reaches its hosts without SSH, and uses no key and no user of yours`);
  warnings.push("creator: the tag creator is whoever makes the cluster with Muster");
}

function originsOf({ origins }: Reading, map: Mapping): void {
  const set = (field: string, key: string) => origins.set(field, { path: key, line: map.entries.get(key)?.line });
  for (const [field, key] of Object.entries(ORIGINS)) set(field, key);
  for (const [field, key] of Object.entries(SHARED)) {
    set(`groups.0.resources.${field}`, key);
    set(`groups.1.resources.${field}`, key);
  }
}
