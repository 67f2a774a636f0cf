/**
 * What SkyPilot's task files may ask for and Muster cannot do yet: read and checked by SkyPilot's schema
 * (sky/utils/schemas.py), and told with a reason in words of those who use it.
 */
import type { Choice } from "@muster/core/task/resources.ts";
import {
  anything,
  type Check,
  entriesOf,
  integer,
  listOf,
  mapOf,
  number,
  oneOf,
  orMap,
  shape,
  words,
  yesNo,
} from "./check.ts";
import { dockerConfig } from "./container.ts";
import type { Draft } from "./draft.ts";
import { variablesIn } from "./paths.ts";
import { poolShape } from "./pool.ts";
import { defer, type Field, mapping, type Place, type Reading, refuse, similar } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** A key that is checked, and cannot be done. */
export function deferred(check: Check, why: string): ReadField {
  return (reading, value, at) => {
    check(reading, value, at);
    defer(reading, at, why);
  };
}

/** A key that is checked, and of which nothing comes. */
function idle(check: Check, what: string): ReadField {
  return (reading, value, at) => {
    check(reading, value, at);
    reading.warnings.push(`${at.path}: ${what}`);
  };
}

/** Of a text with a variable in it, nobody knows yet what it will be. */
function settled(check: Check): Check {
  return (reading, node, at) => {
    if (node.kind !== "scalar" || variablesIn(node.text).length === 0) check(reading, node, at);
  };
}

const seconds = number(0);

const probe = shape(
  {
    path: words,
    post_data: orMap(words, anything),
    initial_delay_seconds: seconds,
    timeout_seconds: seconds,
    endpoint_probe_interval_seconds: seconds,
    consecutive_failure_threshold_timeout: seconds,
    headers: mapOf(words),
  },
  ["path"],
);

const policy = shape(
  {
    min_replicas: integer(0),
    max_replicas: integer(0),
    num_overprovision: integer(0),
    target_qps_per_replica: orMap(number(0), mapOf(number(0))),
    upscale_delay_seconds: seconds,
    downscale_delay_seconds: seconds,
    base_ondemand_fallback_replicas: integer(0),
    dynamic_ondemand_fallback: yesNo,
    spot_placer: words,
  },
  ["min_replicas"],
);

const serviceShape = shape({
  readiness_probe: orMap(words, probe),
  replicas: integer(0),
  replica_policy: policy,
  load_balancing_policy: settled(oneOf(["round_robin", "least_load", "instance_aware_least_load"])),
  load_balancer: shape({ stream_timeout_seconds: seconds }),
  tls: shape({ keyfile: words, certfile: words }, ["keyfile", "certfile"]),
  https: shape({ key: words, cert: words }),
  external_load_balancers: listOf(anything),
  route53_hosted_zone: words,
  ports: integer(1, 65_535),
  pool: poolShape,
  workers: integer(0),
});

const counted: Check = (reading, node, at) => {
  serviceShape(reading, node, at);
  if (node.kind === "map" && node.entries.has("replicas") && node.entries.has("replica_policy"))
    refuse(reading, at, "has both replicas and replica_policy", "keep one of them");
};

export const service = deferred(counted, "services: replicas of a server behind one address");

const sized = orMap(
  words,
  shape({
    name: words,
    size: words,
    type: words,
    sub_path: words,
    infra: words,
    use_existing: yesNo,
    labels: mapOf(words),
    config: anything,
  }),
);
const VOLUMES = "volumes: disks that outlive their machines";
export const volumes = deferred(mapOf(sized), VOLUMES);
export const volumeMounts = deferred(
  listOf(
    shape({ path: words, volume_name: words, is_ephemeral: yesNo, sub_path: words, volume_config: mapOf(anything) }),
  ),
  VOLUMES,
);
export const diskVolumes = deferred(
  listOf(
    shape({
      name: words,
      path: words,
      disk_size: sizeLike,
      disk_tier: words,
      storage_type: words,
      attach_mode: words,
      auto_delete: yesNo,
    }),
  ),
  VOLUMES,
);

/** A number of gigabytes, or text such as 64GB. */
function sizeLike(reading: Reading, node: Node, at: Place): void {
  if (node.kind !== "scalar" || typeof node.value !== "number") words(reading, node, at);
}
export const ephemeralStorage = deferred(sizeLike, "a choice of local disks");
export const localDisk = deferred(words, "a choice of local disks");

export const eventCallback = deferred(words, "a script that is told of each change of a job's state");
export const mountsMapping = deferred(mapOf(anything), "mounts that another launcher has uploaded");
const hooksShape = listOf(
  shape({ run: words, events: listOf(oneOf(["stop", "preemption", "down"])), timeout: integer(1) }, ["run"]),
);
const HOOKS = "scripts that run before a cluster stops or ends";
export const hooks = deferred(hooksShape, HOOKS);
/** As SkyPilot has had them before `hooks`: a script, or a map of one and its time. */
export const hook = deferred(
  orMap(words, shape({ hook: words, command: words, run: words, hook_timeout: integer(1), timeout: integer(1) })),
  HOOKS,
);
export const priorityClass = deferred(words, "classes of priority: write a number as priority");

const EGRESS = "is for another launcher's estimate of what moving the data costs, and is left out";
export const inputs = idle(mapOf(number()), EGRESS);
export const outputs = idle(mapOf(number()), EGRESS);

export const apiServerAccess: ReadField = (reading, value, at) => {
  yesNo(reading, value, at);
  if (value.kind === "scalar" && value.value === true) defer(reading, at, "access to the API from within a task");
};

export const acceleratorArgs = deferred(
  shape({ runtime_version: words, tpu_name: words, tpu_vm: yesNo, gcp_queued_resource: yesNo }),
  "TPUs, and what is said of them",
);

const CLOUDS = ["kubernetes", "gcp", "aws", "azure", "oci", "nebius", "ssh", "slurm", "vast", "runpod", "lambda"];
const settings: Readonly<Record<string, Check>> = {
  docker: shape({ run_options: listOf(words, true) }),
  hooks: hooksShape,
  nvidia_gpus: shape({ disable_ecc: yesNo }),
};
const REASONS: Readonly<Record<string, string>> = {
  hooks: HOOKS,
};

/** Settings of SkyPilot's, cloud by cloud: those of a cloud that the task does not name are as good as absent. */
export const config: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map === undefined) return;
  const named = new Set([out.task.resources, ...choicesOf(out)].map(({ provider }) => provider));
  for (const [key, part, place] of entriesOf(map, at)) {
    if (!isSetting(reading, key, place)) continue;
    (settings[key] ?? mapOf(anything))(reading, part, place);
    if (key === "docker") dockerConfig(reading, part, place, out);
    else if (CLOUDS.includes(key) && key !== "aws" && !named.has(key))
      reading.warnings.push(`${place.path}: matters on ${key} only, and the task does not ask for it`);
    else defer(reading, place, REASONS[key] ?? "settings of another launcher");
  }
};

/** SkyPilot's own client lets keys pass that it does not know: only what looks like a slip is one. */
function isSetting(reading: Reading, key: string, at: Place): boolean {
  const known = [...CLOUDS, ...Object.keys(settings)];
  const meant = known.includes(key) ? undefined : similar(key, known);
  if (meant !== undefined) refuse(reading, at, "is not a key that Muster knows", meant);
  return meant === undefined;
}

const choicesOf = ({ task: { resources } }: Draft): readonly Choice[] => [
  ...(resources.anyOf ?? []),
  ...(resources.ordered ?? []),
];
