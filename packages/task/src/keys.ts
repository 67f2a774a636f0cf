/** The keys of a task file, form by form. */
import { OnError } from "@muster/core/task/task.ts";
import { after } from "./after.ts";
import { word } from "./check.ts";
import { container } from "./container.ts";
import type { Dialect } from "./dialect.ts";
import type { Draft } from "./draft.ts";
import * as Elsewhere from "./elsewhere.ts";
import { variables } from "./envs.ts";
import { groups } from "./groups.ts";
import { idle } from "./idle.ts";
import * as Kept from "./kept.ts";
import { labels } from "./labels.ts";
import { priority } from "./machine.ts";
import { fileMounts } from "./mounts.ts";
import { packages } from "./packages.ts";
import { pool } from "./pool.ts";
import { duration } from "./quantity.ts";
import { claim, type Field, type Keys, mistyped, type Reading, refuse, text, whole } from "./reading.ts";
import * as Resources from "./resources.ts";
import type { Given } from "./result.ts";
import { maxAttempts, queueTimeout, retry } from "./retry.ts";
import { ray, services } from "./services.ts";
import { storageMounts } from "./storage.ts";
import { list } from "./stored.ts";
import { concurrent, runs, sweep } from "./sweep.ts";
import { ofGroup } from "./together.ts";
import { workdir } from "./workdir.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** A key whose text is a field as it stands. */
function script(field: "setup" | "run"): ReadField {
  return (reading, value, at, out) => {
    const read =
      value.kind === "list"
        ? mistyped(reading, value, at, "text", `write \`${field}: |\`, and a line for each command`)
        : text(reading, value, at);
    if (read !== undefined && claim(reading, field, at)) out.task[field] = read;
  };
}

const name: ReadField = (reading, value, at, out) => {
  const read = text(reading, value, at);
  if (read !== undefined && claim(reading, "name", at)) out.task.name = read;
};

const nodes: ReadField = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read !== undefined && claim(reading, "nodes", at)) out.task.nodes = read;
};

const timeout: ReadField = (reading, value, at, out) => {
  const read = duration(reading, value, at, 1);
  if (read === undefined || !claim(reading, "timeout", at)) return;
  // Rounded up: a time that is too short ends a job.
  if (read > 0) out.task.timeout = Math.ceil(read);
  else refuse(reading, at, "must be more than 0");
};

const onError: ReadField = (reading, value, at, out) => {
  const read = word(reading, value, at, OnError.options);
  if (read !== undefined && claim(reading, "onError", at)) out.task.onError = read;
};

const idleKey: ReadField = (reading, value, at, out) => {
  const read = idle(reading, value, at);
  if (read !== undefined) out.idle = read;
};

const maxConcurrentJobs: ReadField = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read !== undefined && claim(reading, "maxConcurrentJobs", at)) out.maxConcurrentJobs = read;
};

/** Muster's own form, which SkyPilot's is part of. Each key may build on those before it. */
const own = (given: Given): Keys<Draft> => ({
  envs: variables("envs", given),
  env: variables("envs", given),
  secrets: variables("secrets", given),
  managed_secrets: (reading, value, at, out) => {
    if (value.kind === "list") list(reading, value.items, at, given, out);
    else mistyped(reading, value, at, "a list of names");
  },
  name,
  labels,
  num_nodes: nodes,
  nodes,
  resources: Resources.resources(Resources.own),
  groups,
  container,
  workdir,
  packages,
  setup: script("setup"),
  run: script("run"),
  file_mounts: fileMounts,
  timeout,
  queue_timeout: queueTimeout,
  retry,
  max_attempts: maxAttempts,
  runs,
  concurrent,
  sweep,
  idle: idleKey,
  max_concurrent_jobs: maxConcurrentJobs,
  priority,
  on_error: onError,
  after,
  service: Elsewhere.service,
  pool,
  volumes: Elsewhere.volumes,
  volume_mounts: Elsewhere.volumeMounts,
  config: Elsewhere.config,
  inputs: Elsewhere.inputs,
  outputs: Kept.outputs,
  checkpoint: Kept.checkpoint,
  ray,
  services,
  event_callback: Elsewhere.eventCallback,
  file_mounts_mapping: Elsewhere.mountsMapping,
  api_server_access: Elsewhere.apiServerAccess,
  execution: ofGroup("execution"),
  primary_tasks: ofGroup("primary_tasks"),
  termination_delay: ofGroup("termination_delay"),
});

/** An Oumi job. */
const oumi = (given: Given): Keys<Draft> => ({
  envs: variables("envs", given),
  name,
  user: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read === undefined) return;
    out.user = read;
    reading.warnings.push(`${at.path}: Muster signs in nowhere, so it is left out`);
  },
  num_nodes: nodes,
  resources: Resources.resources(Resources.oumi),
  working_dir: workdir,
  setup: script("setup"),
  run: script("run"),
  storage_mounts: storageMounts,
  file_mounts: fileMounts,
});

/** The table of keys of a dialect. */
export const keysOf = (dialect: Dialect, given: Given): Keys<Draft> => (dialect === "oumi" ? oumi : own)(given);

/** The keys at the top of a task file, in whichever form; also those that Muster cannot do yet. */
export const topKeys: ReadonlySet<string> = new Set([...Object.keys(own({})), ...Object.keys(oumi({}))]);

/** What a key is called in this dialect, when another has taught people to write it so. */
const NAMES: Readonly<Record<string, string>> = {
  workdir: "working_dir",
  nodes: "num_nodes",
  env: "envs",
  provider: "resources.cloud",
  infra: "resources.cloud",
};

/** Every key of a dialect to its full path, so that one on the wrong level can be sent home. */
export function homesOf(dialect: Dialect): Map<string, string> {
  const resources = Object.keys(dialect === "oumi" ? Resources.oumi : Resources.own);
  const names: [string, string][] = dialect === "oumi" ? Object.entries(NAMES) : [["working_dir", "workdir"]];
  const top = Object.keys(keysOf(dialect, {})).map((key): [string, string] => [key, key]);
  return new Map([...names, ...resources.map((key): [string, string] => [key, `resources.${key}`]), ...top]);
}

/** What Oumi will not do without. */
export function required(reading: Reading, out: Draft): void {
  if (reading.dialect !== "oumi" || reading.issues.length > 0) return;
  if (out.task.run === undefined) refuse(reading, { path: "run" }, "is missing, and an Oumi job must have it");
  if (out.task.resources.provider !== undefined) return;
  refuse(
    reading,
    { path: "resources.cloud" },
    "is missing, and an Oumi job must have it",
    "say --resources.cloud local",
  );
}
