/** The keys of a task file, form by form. */
import { OnError } from "@muster/core/task/task.ts";
import type { Dialect } from "./dialect.ts";
import type { Draft } from "./draft.ts";
import { type Given, variables } from "./envs.ts";
import { groups } from "./groups.ts";
import { idle } from "./idle.ts";
import { fileMounts, storageMounts, workdir } from "./mounts.ts";
import { duration } from "./quantity.ts";
import { claim, type Field, type Keys, type Reading, refuse, similar, text, whole } from "./reading.ts";
import * as Resources from "./resources.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** A key whose text is a field as it stands. */
function script(field: "setup" | "run"): ReadField {
  return (reading, value, at, out) => {
    const read = text(reading, value, at);
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
  const read = text(reading, value, at)?.toLowerCase();
  if (read === undefined || !claim(reading, "onError", at)) return;
  const known = OnError.options.find(option => option === read);
  if (known !== undefined) out.task.onError = known;
  else refuse(reading, at, `must be stop or continue, and is "${read}"`, similar(read, OnError.options));
};

const idleKey: ReadField = (reading, value, at, out) => {
  const read = idle(reading, value, at);
  if (read !== undefined) out.idle = read;
};

/** Muster's own form, which SkyPilot's is part of. */
const own = (given: Given): Keys<Draft> => ({
  envs: variables("envs", given),
  env: variables("envs", given),
  secrets: variables("secrets", given),
  name,
  num_nodes: nodes,
  nodes,
  resources: Resources.resources(Resources.own),
  groups,
  workdir,
  setup: script("setup"),
  run: script("run"),
  file_mounts: fileMounts,
  timeout,
  idle: idleKey,
  on_error: onError,
  service: { why: "services: replicas behind one address" },
  pool: { why: "pools of workers" },
  volumes: { why: "volumes" },
  volume_mounts: { why: "volumes" },
  config: { why: "settings of another launcher" },
  inputs: { why: "inputs and outputs that a task declares" },
  outputs: { why: "inputs and outputs that a task declares" },
  event_callback: { why: "a script that is told of each change of state" },
  managed_secrets: { why: "secrets that the control plane keeps, named in a task file" },
  file_mounts_mapping: { why: "mounts that another launcher uploaded" },
  api_server_access: { why: "access to the API from within a task" },
  execution: { why: "groups of jobs" },
  primary_tasks: { why: "groups of jobs" },
  termination_delay: { why: "groups of jobs" },
});

/** An Oumi job. */
const oumi = (given: Given): Keys<Draft> => ({
  envs: variables("envs", given),
  name,
  user: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read === undefined) return;
    out.user = read;
    reading.warnings.push(`${at.path}: matters to Slurm and Polaris only`);
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
