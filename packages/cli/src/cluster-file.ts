/** Files that say what a cluster is, and nothing of what runs on it. */
import { MusterError } from "@muster/core/error.ts";
import { type ClusterDraft, empty } from "@muster/task/draft.ts";
import type { Result } from "@muster/task/read.ts";

/** @throws MusterError `invalid_request` for a file that has nothing to run, with what to do with it. */
export function requireTask({ tasks, clusters = [], targets = [] }: Result, file: string | undefined): void {
  if (tasks.length > 0 || (clusters.length === 0 && targets.length === 0)) return;
  const what = clusters.length > 0 ? "clusters" : "targets";
  throw new MusterError("invalid_request", `${file} says what its ${what} are, and nothing of what runs on them`, {
    hint:
      clusters.length > 0
        ? `make the cluster with: muster up ${file}; then run things on it: muster run TASK -c NAME`
        : `see how to keep its targets here with: muster import ${file}; then use one: muster launch TASK --target NAME`,
  });
}

/** A reading whose cluster stands where a task would, and the cluster's name. */
export interface Named {
  readonly result: Result;
  readonly cluster?: string;
}

/**
 * The cluster of a file of clusters, as a task that says what its hosts are; another file's reading as it is.
 * @param only the name of the one that is meant
 * @throws MusterError `invalid_request` where it is not clear which, `not_found` for a name that none of them has.
 */
export function withCluster(result: Result, file: string | undefined, only: string | undefined): Named {
  const { tasks, clusters = [] } = result;
  if (tasks.length > 0 || clusters.length === 0) {
    if (only === undefined) return { result };
    throw new MusterError("invalid_request", "--only is for files of several clusters, and this is none");
  }
  const { name, groups, idle } = pick(clusters, file, only);
  const draft = { ...empty("stop"), groups: [...groups], ...(idle !== undefined && { idle }) };
  return { result: { ...result, tasks: [draft] }, ...(name !== undefined && { cluster: name }) };
}

function pick(clusters: readonly ClusterDraft[], file: string | undefined, only: string | undefined): ClusterDraft {
  const names = clusters.map(({ name = "one without a name" }) => name).join(", ");
  const found = clusters.filter(({ name }) => only === undefined || name === only);
  const [first, ...more] = found;
  if (first !== undefined && more.length === 0) return first;
  if (first === undefined)
    throw new MusterError("not_found", `${file} has no cluster '${only}'`, { hint: `it has: ${names}` });
  throw new MusterError("invalid_request", `${file} has ${found.length} clusters: ${names}`, {
    hint: `make one of them with: muster up ${file} --only NAME`,
  });
}

/** What is refused of such a file: options of task files say nothing to it, and a target does. */
export function refusal(error: unknown): unknown {
  if (!(error instanceof MusterError) || error.details.hint === undefined) return error;
  const hint = error.details.hint.replace(
    /^.*--groups\.\d+\.resources\.cloud .*?(?=muster targets set)/,
    "say what it is here: ",
  );
  return new MusterError(error.code, error.message, { ...error.details, hint }, error);
}
