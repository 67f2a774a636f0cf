/** One task, or one cluster, by the keys of Muster's own form, in the order in which people read them. */

import type * as Group from "@muster/core/cluster/group.ts";
import type { Container } from "@muster/core/task/container.ts";
import type { Package } from "@muster/core/task/inputs.ts";
import type { Retry } from "@muster/core/task/retry.ts";
import { quoted } from "../container.ts";
import type { ClusterDraft, Draft } from "../draft.ts";
import { isSecretName } from "../envs.ts";
import { idleOf } from "./idle.ts";
import type { Value } from "./nodes.ts";
import { resources } from "./resources.ts";
import { sweepOf } from "./sweep.ts";
import { time } from "./time.ts";

export interface WriteOptions {
  /** `written`: the values of secrets too. Else they are left to be given. */
  readonly secrets?: "written";
}

type Entries = Readonly<Record<string, Value>>;

/** A requirement that needs no quotes and no map. */
const PLAIN_PACKAGE = /^[\w.[\]=<>!~,+-]+$/;

/** A cluster. */
export const clusterOf = ({ name, groups, idle }: ClusterDraft): Entries => ({
  name,
  groups: groups.map(groupOf),
  idle: idle && idleOf(idle),
});

/** A task. */
export function taskOf(draft: Draft, options: WriteOptions): Entries {
  const { task, groups, idle, priority, workdir } = draft;
  return {
    name: task.name,
    labels: task.labels && filled(task.labels),
    groups: groups?.map(groupOf),
    resources: resources(task.resources),
    num_nodes: task.nodes === 1 ? undefined : task.nodes,
    container: task.container && containerOf(task.container),
    idle: idle && idleOf(idle),
    max_concurrent_jobs: draft.maxConcurrentJobs,
    pool: draft.pool,
    after: draft.after?.map(({ name, on }) => (on === "success" ? name : { task: name, on })),
    priority,
    timeout: task.timeout === undefined ? undefined : time(task.timeout),
    queue_timeout: task.queueTimeout === undefined ? undefined : time(task.queueTimeout),
    retry: task.retry && retryOf(task.retry),
    runs: task.runs?.count,
    concurrent: task.runs?.concurrent,
    sweep: task.runs?.sweep && sweepOf(task.runs.sweep),
    workdir: typeof workdir === "object" ? { url: workdir.url, ref: workdir.ref } : workdir,
    file_mounts: mounts(draft),
    outputs: task.outputs,
    checkpoint: task.checkpoint,
    ray: task.ray ? true : undefined,
    services: task.services?.map(({ name, run, port }) => ({ name, run, port })),
    packages: task.packages.length > 0 ? task.packages.map(packageOf) : undefined,
    envs: filled({ ...shown(task.envs, options, isSecretName), ...missing(draft, "envs") }),
    secrets: secrets(draft, options),
    // Always said: it is what tells such a file from those of other launchers.
    on_error: task.onError,
    setup: task.setup,
    run: task.run,
  };
}

const groupOf = ({ name, nodes, resources: wanted, schedulable }: Group.Create): Entries => ({
  name,
  num_nodes: nodes,
  schedulable: schedulable ? undefined : false,
  resources: resources(wanted),
});

const containerOf = ({ image, options }: Container): Value =>
  options.length === 0 ? image : { image, options: options.map(quoted) };

const retryOf = ({ max, on, exitCodes, backoff }: Retry): Entries => ({
  max,
  on,
  exit_codes: exitCodes,
  backoff: time(backoff),
});

function mounts({ fileMounts, buckets }: Draft): Value {
  const files = fileMounts.map(({ path, source }): [string, Value] => [path, source]);
  const others = buckets.map(({ path, source, mode }): [string, Value] => [path, { source, mode: mode.toUpperCase() }]);
  const all = new Map([...files, ...others]);
  return all.size > 0 ? all : undefined;
}

function packageOf({ method, source, args, revision }: Package): Value {
  if (args.length === 0 && revision === undefined && PLAIN_PACKAGE.test(source)) return `${method}:${source}`;
  return { method, source, args: args.length > 0 ? args : undefined, revision };
}

/** A list when none of them has a value of its own. */
function secrets(draft: Draft, options: WriteOptions): Value {
  const { secrets: values, storedSecrets } = draft.task;
  const own: Entries = { ...shown(values, options, () => true), ...missing(draft, "secrets") };
  if (Object.keys(own).length === 0) return storedSecrets.length > 0 ? storedSecrets : undefined;
  return { ...own, ...Object.fromEntries(storedSecrets.map(name => [name, `secrets:${name}`])) };
}

/** Values that may be seen; in the place of the others, nothing. */
function shown(
  values: Readonly<Record<string, string>>,
  options: WriteOptions,
  isSecret: (name: string) => boolean,
): Entries {
  const isHidden = (name: string): boolean => options.secrets !== "written" && isSecret(name);
  // An empty value tells nothing, and null would ask for one.
  const entries = Object.entries(values).map(([name, value]) => [name, isHidden(name) && value !== "" ? null : value]);
  return Object.fromEntries(entries);
}

const missing = (draft: Draft, kind: "envs" | "secrets"): Entries =>
  Object.fromEntries(draft.missing.filter(one => one.kind === kind).map(({ name }) => [name, null]));

const filled = (entries: Entries): Value => (Object.keys(entries).length > 0 ? entries : undefined);
