/** What a file says, before the client has uploaded anything: the canonical form that all dialects are read into. */
import type * as Group from "@muster/core/cluster/group.ts";
import type { Idle } from "@muster/core/cluster/idle.ts";
import type { BucketMode, Git } from "@muster/core/task/inputs.ts";
import type { OnError, Task } from "@muster/core/task/task.ts";
import type { After } from "./after.ts";
import type { Place } from "./reading.ts";

/** Canonical fields but for those that hold uploads. */
export type Fields = Pick<
  Task,
  | "name"
  | "onError"
  | "resources"
  | "nodes"
  | "packages"
  | "setup"
  | "run"
  | "envs"
  | "secrets"
  | "storedSecrets"
  | "timeout"
  | "outputs"
  | "checkpoint"
  | "queueTimeout"
  | "retry"
  | "labels"
  | "runs"
  | "container"
  | "ray"
  | "services"
>;

/** A local file or folder that is to be on the host. */
export interface FileMount {
  /** On the host. */
  readonly path: string;
  /** On the client, as written. */
  readonly source: string;
}

/** A bucket that is to be on the host. */
export interface Bucket {
  readonly path: string;
  /** `s3://name/prefix`. */
  readonly source: string;
  readonly mode: BucketMode;
}

/** A variable that has no value yet: it must be given before the task can run. */
export interface Missing {
  readonly name: string;
  readonly kind: "envs" | "secrets";
  readonly at: Place;
}

export interface Draft {
  task: Fields;
  /** Local folder, as written, or a git repository. */
  workdir?: string | Git;
  fileMounts: FileMount[];
  buckets: Bucket[];
  missing: Missing[];
  /** Hosts of several kinds; then `resources` is empty, and `nodes` are those of the job. */
  groups?: Group.Create[];
  /** What happens to the cluster when it has no job; absent: the default policy. */
  idle?: Idle;
  /** The most jobs that run on one host of the cluster at a time. */
  maxConcurrentJobs?: number;
  /** What it says of a pool: then it says what the clusters of one are, and runs nothing. */
  pool?: { readonly workers?: number };
  /** 0 to 1000; higher runs first. */
  priority?: number;
  /** Other tasks of its file that it waits for. */
  after?: readonly After[];
  /** Account that the job runs under, on the schedulers that want one. */
  user?: string;
}

/** A cluster on which nothing is to run yet. */
export interface ClusterDraft {
  readonly name?: string;
  readonly groups: readonly Group.Create[];
  readonly idle?: Idle;
}

/** A named place to run jobs: a provider, and what is asked of its machines. */
export interface TargetDraft {
  readonly name: string;
  readonly resources: Task["resources"];
  readonly nodes?: number;
}

export const empty = (onError: OnError): Draft => ({
  task: { onError, resources: {}, nodes: 1, packages: [], envs: {}, secrets: {}, storedSecrets: [] },
  fileMounts: [],
  buckets: [],
  missing: [],
});
