/** What becomes of a launch when its command is interrupted: it goes on without the person; in CI it is taken back. */

import type { Client } from "@muster/api/client.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Job from "@muster/core/job/job.ts";
import { attend, type Launched, type Means } from "./attend.ts";
import type { Cli } from "./cli.ts";
import { plural } from "./format.ts";
import type { Interrupt } from "./interrupt.ts";
import type { LogCopy } from "./log-copy.ts";
import { isCi } from "./output.ts";
import { step } from "./progress.ts";
import * as Runs from "./runs.ts";
import * as Watch from "./watch.ts";

interface Stay {
  readonly client: Client;
  readonly launched: Launched;
  readonly stop: Interrupt;
  /** Do not stay at all. */
  readonly detach: boolean;
  /** Where else the job's log goes. */
  readonly copy?: LogCopy | undefined;
}

/** Attends to what was launched until its end, or until the person leaves. @returns the exit code. */
export async function stay(
  { out, env }: Pick<Cli, "out" | "env">,
  { client, launched, stop, detach, copy }: Stay,
): Promise<number> {
  if (detach) {
    out.data(launched);
    detached({ out }, launched);
    out.print(launched.job?.id ?? launched.cluster.name);
    return 0;
  }
  try {
    return await attend({ out, client, signal: stop.signal, copy }, launched);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (isCi(env)) await takeBack({ out, client }, launched);
    else detached({ out }, launched);
    return stop.code();
  }
}

/** Says how to come back. */
function detached({ out }: Pick<Means, "out">, { cluster, job }: Launched): void {
  const rows =
    job === undefined
      ? [
          ["look at it", `muster status ${cluster.name}`],
          ["end it", `muster down ${cluster.name}`],
        ]
      : [
          [job.runs ? "look at it" : "follow it", Runs.follower(job)],
          ["cancel it", `muster cancel ${job.id}`],
        ];
  out.note(`${goesOn(cluster, job)} without you.`);
  for (const [label = "", command] of rows) out.note(`  ${out.style("dim", label.padEnd(10))} ${command}`);
}

function goesOn(cluster: Cluster.Info, job: Job.Info | undefined): string {
  if (job !== undefined) return `Job ${job.id} on ${cluster.name} goes on`;
  const what = cluster.state === "growing" ? ` growing to ${plural(cluster.nodes, "host")}` : "";
  return `Cluster ${cluster.name} goes on${what}`;
}

/** Cancels the job and removes the cluster that this launch made, and waits for both: nobody comes back for them. */
async function takeBack(means: Omit<Means, "signal">, { cluster, job, reused }: Launched): Promise<void> {
  const { client, out } = means;
  if (job !== undefined) {
    using progress = step(out, `job ${job.id}`);
    await client.jobs.cancel({ params: { job: job.id } });
    const ended = await Watch.job(means, job.id, Job.isOver, noun => progress.show(noun.state));
    progress.done(ended.state);
  }
  if (reused) {
    if (job === undefined) detached({ out }, { cluster, reused });
    return;
  }
  using progress = step(out, `cluster ${cluster.name}`);
  await client.clusters.remove({ params: { cluster: cluster.id } });
  const ended = await Watch.cluster(means, cluster.id, Cluster.isOver, noun => progress.show(noun.state));
  progress.done(ended.state);
}
