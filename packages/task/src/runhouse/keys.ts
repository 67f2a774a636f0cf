/** The arguments that Runhouse's clusters take, kind by kind. */

import type { Draft } from "../draft.ts";
import {
  claim,
  defer,
  type Field,
  flag,
  type Keys,
  type Place,
  type Reading,
  refuse,
  similar,
  text,
  whole,
} from "../reading.ts";
import * as Resources from "../resources.ts";
import { join, type Node, type Scalar } from "../yaml/tree.ts";
import type { Parts } from "./parts.ts";

/** Own hosts, a cloud's machines, or SageMaker's. */
export type Kind = "byo" | "onDemand" | "sagemaker";

type Read = (reading: Reading, value: Node, at: Place, out: Parts) => void;

/** Clouds that Runhouse knows, and `cheapest`, which is no choice at all. */
const PROVIDERS = ["aws", "gcp", "azure", "lambda"];
const MINUTES_OF_A_YEAR = 525_600;

const nothing: Read = () => undefined;

const word: Read = (reading, value, at) => {
  text(reading, value, at);
};

const number: Read = (reading, value, at) => {
  whole(reading, value, at);
};

const yesNo: Read = (reading, value, at) => {
  flag(reading, value, at);
};

/** A key of a task's resources, under the name that it has here. */
function resource(key: string): Read {
  return (reading, value, at, out) => {
    const field: Field<Draft> | undefined = Resources.own[key];
    if (typeof field === "function") field(reading, value, at, out.draft);
    else if (field !== undefined) defer(reading, at, field.why);
  };
}

const accelerators = resource("accelerators");
const cpus = resource("cpus");
const exactly = resource("instance_type");

/** 'A100:4', 'CPU:8' and 'CPU:2+', or a machine type of the cloud. */
const instanceType: Read = (reading, value, at, out) => {
  const read = text(reading, value, at)?.trim();
  if (read === undefined) return;
  if (read === "") return void refuse(reading, at, "is empty", "leave the key out");
  const said: Scalar = { kind: "scalar", value: read, text: read, plain: false, line: value.line };
  if (!read.includes(":")) return exactly(reading, said, at, out);
  out.isAccelerator = true;
  const [, count] = /^cpu:(.*)$/i.exec(read) ?? [];
  if (count === undefined) return accelerators(reading, said, at, out);
  cpus(reading, { ...said, value: count, text: count }, at, out);
};

const nodes: Read = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read === undefined || !claim(reading, "nodes", at)) return;
  out.draft.task.nodes = read;
  if (at.path.endsWith("num_instances") && out.isAccelerator && read > 1)
    reading.warnings.push(`${at.path}: counts here; Runhouse makes one machine when instance_type has a ':'`);
};

const provider: Read = (reading, value, at, out) => {
  const read = text(reading, value, at)?.trim().toLowerCase();
  if (read === undefined || read === "" || read === "cheapest") return;
  if (read === "kubernetes" || read === "k8s") return void refuse(reading, at, "clusters on Kubernetes cannot be made");
  if (!PROVIDERS.includes(read)) {
    const message = `must be one of ${PROVIDERS.join(", ")} or cheapest, and is "${read}"`;
    return void refuse(reading, at, message, similar(read, [...PROVIDERS, "cheapest"]));
  }
  reading.origins.set("groups.0.resources.provider", at);
  out.draft.task.resources.provider = read;
};

const autostop: Read = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read === undefined) return;
  if (read < -1 || read > MINUTES_OF_A_YEAR) refuse(reading, at, "must be minutes, a year at most, or -1 for never");
  else out.idle = read === -1 ? "never" : { after: read, action: "terminate" };
};

/** Where each host is: one address, or a list of them. */
const hosts: Read = (reading, value, at, out) => {
  if (!claim(reading, "hosts", at)) return;
  const items = value.kind === "list" ? value.items : [value];
  if (items.length === 0) refuse(reading, at, "has no address in it");
  for (const [index, item] of items.entries()) {
    const place = value.kind === "list" ? { path: `${at.path}.${index}`, line: item.line ?? at.line } : at;
    const read = text(reading, item, place);
    if (read !== undefined && !/^[\w.:-]+$/.test(read)) refuse(reading, place, "is not the address of a host");
  }
  out.hosts = items.length;
};

const CREDENTIALS = ["ssh_user", "ssh_private_key", "password", "ssh_host", "ssh_proxy_command", "ssh_control_name"];

/** Names are looked at, and no value is: they are nobody's business. */
const credentials: Read = (reading, value, at) => {
  if (value.kind === "scalar" && typeof value.value === "string") return;
  if (value.kind !== "map") return void refuse(reading, at, "must be a map, or the name of a secret of Runhouse's");
  for (const [key, entry] of value.entries) {
    const place = { path: join(at.path, key), line: entry.line ?? at.line };
    if (!CREDENTIALS.includes(key)) stranger(reading, key, place, at);
    else if (entry.value.kind !== "scalar" || typeof entry.value.value === "number")
      refuse(reading, place, "must be text");
  }
};

/** A key that is like none of them may be a credential itself. */
function stranger(reading: Reading, key: string, place: Place, at: Place): void {
  const meant = similar(key, CREDENTIALS);
  if (meant === undefined) refuse(reading, { ...place, path: at.path }, "has a key here that Runhouse does not know");
  else refuse(reading, place, "is not a key that Runhouse knows", meant);
}

const dryrun: Read = (reading, value, at) => {
  if (flag(reading, value, at)) reading.warnings.push(`${at.path}: say --dry-run to see what would be done`);
};

const RUNHOUSE_SERVER = "Runhouse's own server does not run on Muster's hosts";

/** What any kind of cluster may have. */
const common: Keys<Parts> = {
  name: nothing,
  resource_type: (reading, value, at) => {
    const read = text(reading, value, at);
    if (read !== undefined && read !== "cluster")
      refuse(reading, at, `must be cluster: Muster reads nothing else of Runhouse's, and this is a ${read}`);
  },
  resource_subtype: nothing,
  dryrun,
  ...quiet(RUNHOUSE_SERVER, {
    server_port: number,
    server_host: word,
    server_connection_type: word,
    ssl_keyfile: word,
    ssl_certfile: word,
    den_auth: yesNo,
    domain: word,
    client_port: number,
    ssh_port: number,
    api_server_url: word,
    use_local_telemetry: yesNo,
  }),
  ...quiet("is a matter of Runhouse's own service, and says nothing here", {
    provenance: nothing,
    visibility: word,
    access_level: word,
    launcher: (reading, value, at) => {
      const read = text(reading, value, at);
      const known = ["local", "den"];
      if (read !== undefined && !known.includes(read))
        refuse(reading, at, `must be one of ${known.join(", ")}, and is "${read}"`, similar(read, known));
    },
  }),
  ...quiet("is the state of a cluster that Runhouse has made; Muster makes one of its own", {
    sky_state: nothing,
    live_state: nothing,
    launched_properties: nothing,
    stable_internal_external_ips: nothing,
    status: nothing,
    creds: nothing,
  }),
  default_env: { why: "an environment for all functions; put its packages in your tasks" },
  env: { why: "an environment for all functions; put its packages in your tasks" },
  image: { why: "an image that Runhouse builds; name a ready one as image_id" },
  sky_kwargs: { why: "arguments that Runhouse passes on to SkyPilot" },
  vpc_name: { why: "a network by its name; name a subnet in a file of Muster's own form" },
};

/** Keys that are checked and then left: told in one warning, unless they say nothing. */
function quiet(why: string, fields: Readonly<Record<string, Read>>): Keys<Parts> {
  const warned = Object.entries(fields).map(([key, read]): [string, Read] => [
    key,
    (reading, value, at, out) => {
      const before = reading.issues.length;
      read(reading, value, at, out);
      const isSaid = value.kind !== "scalar" || (value.value !== false && value.text !== "");
      if (isSaid && reading.issues.length === before) out.left.set(why, [...(out.left.get(why) ?? []), at.path]);
    },
  ]);
  return Object.fromEntries(warned);
}

const OWN_HOSTS = "instance_type makes it a cluster of a cloud, and these hosts are not used";

const fields: Readonly<Record<Kind, Keys<Parts>>> = {
  byo: {
    ...common,
    host: hosts,
    ips: (reading, value, at, out) => {
      reading.warnings.push(`${at.path}: Runhouse calls this 'host' now`);
      hosts(reading, value, at, out);
    },
    ssh_creds: credentials,
    ...quiet("hosts of your own are never stopped", { autostop_mins: autostop }),
  },
  onDemand: {
    ...common,
    instance_type: instanceType,
    gpus: accelerators,
    accelerators,
    cpus,
    num_instances: nodes,
    num_nodes: nodes,
    provider,
    autostop_mins: autostop,
    use_spot: resource("use_spot"),
    image_id: resource("image_id"),
    region: resource("region"),
    zone: resource("zone"),
    memory: resource("memory"),
    disk_size: resource("disk_size"),
    open_ports: (reading, value, at, out) => {
      if (value.kind !== "list" || value.items.length > 0) resource("ports")(reading, value, at, out);
    },
    ...quiet(OWN_HOSTS, { host: hosts, ips: hosts, ssh_creds: credentials }),
  },
  sagemaker: {
    ...common,
    role: word,
    profile: word,
    ssh_key_path: word,
    instance_id: word,
    instance_type: exactly,
    instance_count: nodes,
    num_instances: nodes,
    image_uri: word,
    estimator: nothing,
    job_name: word,
    autostop_mins: autostop,
    connection_wait_time: number,
    region: word,
    host: hosts,
    ips: hosts,
    ssh_creds: credentials,
  },
};

/** The keys that a cluster of this kind may have. */
export const fieldsOf = (kind: Kind): Keys<Parts> => fields[kind];
