/** `!SSHCluster`: hosts that are there already. They are read and checked; Muster has no provider of them yet. */
import { clusterName, holdCluster } from "../clusters.ts";
import type { ClusterDraft } from "../draft.ts";
import { defer, flag, type Keys, mistyped, type Place, type Reading, refuse, text, walk } from "../reading.ts";
import type { Mapping, Node } from "../yaml/tree.ts";
import { required, setupCommands } from "./common.ts";

interface Parts {
  name?: string;
  factories?: number;
}

type Read = (reading: Reading, value: Node, at: Place, out: Parts) => void;

const WANTED = "an address, or a list of the public and the private one";

const unused: Read = (reading, value, at) => {
  text(reading, value, at);
};

/** One host: its address, or its public and its private one. */
function host(reading: Reading, node: Node, at: Place): undefined {
  if (node.kind === "map") return mistyped(reading, node, at, WANTED);
  if (node.kind === "scalar") return address(reading, node, at);
  if (node.items.length !== 2) return refuse(reading, at, `must be ${WANTED}, and is a list of ${node.items.length}`);
  for (const [index, item] of node.items.entries())
    address(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line });
  return undefined;
}

function address(reading: Reading, node: Node, at: Place): undefined {
  const read = text(reading, node, at);
  if (read !== undefined && !/^[\w.:-]+$/.test(read)) return refuse(reading, at, "is not the address of a host");
  return undefined;
}

const keys: Keys<Parts> = {
  name: (reading, value, at, out) => {
    const read = clusterName(reading, value, at);
    if (read !== undefined) out.name = read;
  },
  orchestrator_ip: host,
  factories_ips: (reading, value, at, out) => {
    if (value.kind !== "list") return mistyped(reading, value, at, "a list of addresses");
    if (value.items.length === 0) return refuse(reading, at, "has no address in it: jobs run on factories only");
    for (const [index, item] of value.items.entries())
      host(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line });
    out.factories = value.items.length;
  },
  key: unused,
  username: unused,
  use_public: (reading, value, at) => {
    flag(reading, value, at);
  },
  setup_cmds: setupCommands,
};

/** Reads an `!SSHCluster`; undefined when something is wrong with it, which is noted. */
export function sshCluster(reading: Reading, map: Mapping): ClusterDraft | undefined {
  const parts: Parts = {};
  const before = reading.issues.length;
  walk(reading, map, "", keys, parts);
  required(reading, map, ["name", "orchestrator_ip", "factories_ips", "key", "username"], "a Flambé cluster");
  if (reading.issues.length > before) return undefined;
  defer(reading, { path: "!SSHCluster" }, "hosts of your own; name a provider that makes them");
  const resources = { provider: "byo" };
  const cluster = {
    name: parts.name ?? "",
    groups: [
      { name: "orchestrator", nodes: 1, schedulable: false, resources },
      { name: "factories", nodes: parts.factories ?? 1, schedulable: true, resources },
    ],
  };
  reading.origins.set("groups", { path: "factories_ips", line: map.entries.get("factories_ips")?.line });
  holdCluster(reading, cluster);
  return cluster;
}
