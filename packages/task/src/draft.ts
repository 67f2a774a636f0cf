/** What a task file says, before the client has uploaded anything. */
import type * as Group from "@muster/core/cluster/group.ts";
import type { Idle } from "@muster/core/cluster/idle.ts";
import type { Dialect, Task } from "@muster/core/task/task.ts";

/** Canonical fields but for those that hold uploads. */
export type Fields = Pick<
  Task,
  "name" | "dialect" | "resources" | "nodes" | "setup" | "run" | "envs" | "secrets" | "timeout"
>;

/** A local file or folder that is to be on the host. */
export interface FileMount {
  /** On the host. */
  readonly path: string;
  /** On the client, as written. */
  readonly source: string;
}

export interface Draft {
  task: Fields;
  /** Local folder, as written. */
  workdir?: string;
  fileMounts: FileMount[];
  /** Hosts of several kinds; then `resources` is empty, and `nodes` are those of the job. */
  groups?: Group.Create[];
  /** What happens to the cluster when it has no job; absent: the default policy. */
  idle?: Idle;
  /** Account that the job runs under, on the schedulers that want one. */
  user?: string;
}

export const empty = (dialect: Dialect): Draft => ({
  task: { dialect, resources: {}, nodes: 1, envs: {}, secrets: {} },
  fileMounts: [],
});
