/** Staying with several jobs of one file until all have ended, or until the person leaves. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Job from "@muster/core/job/job.ts";
import { clusterFailed, clusterUp, jobBegun, jobOver, type Means, remains, WHY_MS } from "../attend.ts";
import type { Cli } from "../cli.ts";
import * as Exit from "../exit.ts";
import type { Interrupt } from "../interrupt.ts";
import type { LogCopy } from "../log-copy.ts";
import { isCi } from "../output.ts";
import { step as progressOf } from "../progress.ts";
import * as Runs from "../runs.ts";
import { stream } from "../stream.ts";
import * as Watch from "../watch.ts";
import type { Step } from "./order.ts";
import type { Sent } from "./send.ts";

interface Stay {
  readonly client: Means["client"];
  readonly steps: readonly Step[];
  readonly sent: Sent;
  readonly stop: Interrupt;
  /** Do not stay at all. */
  readonly detach: boolean;
  readonly copy?: LogCopy | undefined;
  /** Instead of one after the other. */
  readonly attend?: (means: Means) => Promise<number>;
}

/** @returns the exit code: of the first that did not end well */
export async function stay({ out, env }: Pick<Cli, "out" | "env">, stay: Stay): Promise<number> {
  const { client, sent, stop, copy } = stay;
  if (stay.detach) {
    out.data(sent);
    goesOn(out, stay);
    for (const { id } of sent.jobs) out.print(id);
    return 0;
  }
  try {
    // Each log ends by itself, and the copy with the last of them.
    const each = copy && { bytes: copy.bytes, end: async () => {} };
    const means = { out, client, signal: stop.signal, copy: each };
    const exitCode = await (stay.attend?.(means) ?? attend(means, stay));
    await copy?.end();
    return exitCode;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (isCi(env)) await takeBack({ out, client }, sent);
    else goesOn(out, stay);
    return stop.code();
  }
}

async function attend(means: Means, { steps, sent }: Stay): Promise<number> {
  const { out } = means;
  const cluster = await clusterUp(means, sent.cluster);
  if (cluster.state !== "ready") return clusterFailed(out, cluster);
  const ended: Job.Info[] = [];
  for (const [index, job] of sent.jobs.entries())
    ended.push(await follow(means, job, `${index + 1} of ${steps.length}: ${nameOf(steps[index])}`));
  // A step that ends because another has failed ends after it.
  const bad = ended.filter(job => job.state !== "succeeded").toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  const exitCode = bad[0] === undefined ? 0 : Exit.ofJob(bad[0]);
  out.data({ cluster, jobs: ended, reused: sent.reused, exitCode });
  const isTornDown = ended.at(-1)?.down === true;
  out.note(out.style("dim", `  ${isTornDown ? `cluster ${cluster.name} is being torn down` : remains(cluster)}`));
  return exitCode;
}

const nameOf = (step: Step | undefined): string => step?.draft.task.name ?? step?.title ?? "";

/** One step, with its log. @returns its job, which has ended */
async function follow(means: Means, first: Job.Info, title: string): Promise<Job.Info> {
  means.out.note(means.out.style("bold", title));
  await jobBegun(means, first, WHY_MS);
  const job = first.runs ? await Runs.watch(means, first) : await withLog(means, first);
  jobOver(means.out, job);
  return job;
}

async function withLog(means: Means, { id, nodes }: Job.Info): Promise<Job.Info> {
  const begun = await means.client.jobs.get({ params: { job: id } }, { signal: means.signal });
  // One that waited in vain has no log.
  if (!Job.isOver(begun) || begun.startedAt !== undefined) await stream(means, { id, nodes }, true);
  return Watch.job(means, id, Job.isOver, () => {});
}

/** Says how to come back. */
function goesOn(out: Means["out"], { steps, sent }: Stay): void {
  out.note(`${sent.jobs.length} jobs on ${sent.cluster.name} go on without you.`);
  for (const [index, job] of sent.jobs.entries()) {
    const number = out.style("dim", `${index + 1}`.padEnd(3));
    out.note(`  ${number} ${Runs.follower(job)}  ${nameOf(steps[index])}`);
  }
}

/** Cancels the jobs, those that wait first, and removes the cluster that this launch made: nobody comes back for them. */
async function takeBack(means: Omit<Means, "signal">, { cluster, jobs, reused }: Sent): Promise<void> {
  const { client, out } = means;
  for (const { id } of jobs.toReversed()) await client.jobs.cancel({ params: { job: id } });
  for (const { id } of jobs) {
    using progress = progressOf(out, `job ${id}`);
    const ended = await Watch.job(means, id, Job.isOver, noun => progress.show(noun.state));
    progress.done(ended.state);
  }
  if (reused) return;
  using progress = progressOf(out, `cluster ${cluster.name}`);
  await client.clusters.remove({ params: { cluster: cluster.id } });
  const ended = await Watch.cluster(means, cluster.id, Cluster.isOver, noun => progress.show(noun.state));
  progress.done(ended.state);
}
