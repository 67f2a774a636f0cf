/** Jobs that have something in common, together. */
import type * as Job from "@muster/core/job/job.ts";

export const BY = ["provider", "cluster", "state"] as const;
export type By = (typeof BY)[number];

/** A job that is older than its provider's name on it. */
const UNKNOWN = "unknown";

const kinds: Readonly<Record<By, (job: Job.Info) => string>> = {
  provider: job => job.provider ?? UNKNOWN,
  cluster: job => job.clusterName,
  state: job => job.state,
};

/** By each value its jobs, in the order in which they come. @param known values that are there also without jobs */
export function groupsOf(
  jobs: readonly Job.Info[],
  by: By,
  known: readonly string[] = [],
): Readonly<Record<string, readonly Job.Info[]>> {
  const found = Map.groupBy(jobs, kinds[by]);
  const values = [...new Set([...known, ...found.keys()])];
  return Object.fromEntries(values.map(value => [value, found.get(value) ?? []]));
}
