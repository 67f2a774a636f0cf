/** The runs of an array: how far they are, in one line. */
import type { Client } from "@muster/api/client.ts";
import type { Counts } from "@muster/core/array/counts.ts";
import * as Job from "@muster/core/job/job.ts";
import { countOf, type Runs } from "@muster/core/task/sweep.ts";
import { plural } from "./format.ts";
import type { Output } from "./output.ts";
import { step } from "./progress.ts";
import * as Watch from "./watch.ts";

/** `37 of 100 done, 4 running, 1 failed`. */
export function progress(counts: Counts): string {
  const { count, running, succeeded, failed, cancelled, timedOut } = counts;
  const done = succeeded + failed + cancelled + timedOut;
  const others = { running, failed, "timed out": timedOut, cancelled };
  const said = Object.entries(others).flatMap(([name, some]) => (some > 0 ? [`${some} ${name}`] : []));
  return [`${done} of ${count} done`, ...said].join(", ");
}

/** Waits for the end of all runs, and tells how far they are. @returns the array as it ended */
export async function watch(
  means: { readonly out: Output; readonly client: Client; readonly signal: AbortSignal },
  first: Job.Info,
): Promise<Job.Info> {
  const { out, client, signal } = means;
  using live = step(out, `array ${first.id}`);
  // Each count is a change: the next one is looked for soon.
  const read = async () => {
    const job = await client.jobs.get({ params: { job: first.id } }, { signal });
    return { job, state: job.runs === undefined ? job.state : progress(job.runs) };
  };
  const last = await Watch.until(
    read,
    ({ job }) => Job.isOver(job),
    ({ state }) => live.show(state),
    signal,
  );
  const end = last.job.state === "succeeded" ? live.done : live.fail;
  end(last.state);
  return last.job;
}

/** The command that shows how far a job is: many runs have no one log. */
export const follower = ({ id, runs }: Pick<Job.Info, "id" | "runs">): string =>
  runs === undefined ? `muster logs -f ${id}` : `muster jobs --array ${id}`;

/** What of a task is said of its runs, for the plan. */
export function planned(runs: Runs | undefined): string | undefined {
  if (runs === undefined) return undefined;
  const { concurrent, sweep } = runs;
  const names =
    sweep === undefined
      ? ""
      : `: ${sweep.type === "grid" ? "every combination" : "draws"} of ${Object.keys(sweep.params).join(", ")}`;
  return `${plural(countOf(runs), "run")}${concurrent === undefined ? "" : `, ${concurrent} at a time`}${names}`;
}
