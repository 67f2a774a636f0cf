/** Staying with a launch from its request to its job's exit code. */
import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { describe } from "@muster/core/cluster/idle.ts";
import { soFar } from "@muster/core/cost/cost.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Exit from "./exit.ts";
import { duration, money, plural, bytes as size, wrap } from "./format.ts";
import { gpuLines } from "./gpu-peaks.ts";
import type { LogCopy } from "./log-copy.ts";
import type { Output } from "./output.ts";
import { step } from "./progress.ts";
import * as Runs from "./runs.ts";
import * as Shown from "./shown.ts";
import { stream } from "./stream.ts";
import * as Watch from "./watch.ts";

/** A wait that is longer than this wants a reason. */
export const WHY_MS = 1500;

export interface Launched {
  readonly cluster: Cluster.Info;
  readonly job?: Job.Info | undefined;
  /** Whether the cluster was there before. */
  readonly reused: boolean;
}

export interface Means {
  readonly out: Output;
  readonly client: Client;
  readonly signal: AbortSignal;
  /** Where else the job's log goes. */
  readonly copy?: LogCopy | undefined;
}

/** Waits for the cluster, then for the job, with its log. @returns the exit code. */
export async function attend(means: Means, launched: Launched): Promise<number> {
  const { out } = means;
  const cluster = await clusterUp(means, launched.cluster);
  if (cluster.state !== "ready") return unready(means, cluster, launched);
  // It is what it was before, and was asked for more.
  const isSetBack = launched.cluster.state !== "ready" && cluster.failure !== undefined;
  if (isSetBack && launched.job === undefined) return clusterFailed(out, cluster, NOT_GROWN);
  if (launched.job === undefined) {
    out.data({ cluster, reused: launched.reused, exitCode: 0 });
    out.note(hint(out, `run something on it: muster run FILE -c ${cluster.name}`));
    return 0;
  }
  await jobBegun(means, launched.job, WHY_MS);
  if (launched.job.runs && means.copy) out.warn(hint(out, severalLogs(launched.job)));
  const job = launched.job.runs ? await Runs.watch(means, launched.job) : await withLog(means, launched.job);
  const exitCode = Exit.ofJob(job);
  out.data({ cluster, job, reused: launched.reused, exitCode });
  jobOver(out, job);
  const log = `muster logs ${job.id} shows this log again`;
  out.note(
    hint(out, job.runs ? `muster jobs --array ${job.id} shows its runs; muster logs ${job.id}.0 one's log` : log),
  );
  out.note(hint(out, job.down ? `cluster ${cluster.name} is being torn down` : remains(cluster)));
  return exitCode;
}

const severalLogs = ({ id }: Job.Info): string =>
  `many runs have no one log, and none is written: muster logs ${id}.0 -o FILE writes that of the first`;

async function withLog(means: Means, job: Job.Info): Promise<Job.Info> {
  await stream(means, job, true);
  return Watch.job(means, job.id, Job.isOver, () => {});
}

/** What it was launched for may have ended first, for a reason of its own. */
async function unready({ out, client, signal }: Means, cluster: Cluster.Info, { job, reused }: Launched) {
  const last = job?.managed ? await client.jobs.get({ params: { job: job.id } }, { signal }) : undefined;
  if (last === undefined || !Job.isOver(last)) return clusterFailed(out, cluster);
  const exitCode = Exit.ofJob(last);
  out.data({ cluster, job: last, reused, exitCode });
  jobOver(out, last);
  return exitCode;
}

export const remains = ({ name, idle }: Cluster.Info): string =>
  `cluster ${name} ${describe(idle)}; muster down ${name} ends it now`;

/** Waits until the cluster is up, or is not coming up. */
export async function clusterUp(means: Watch.Watch & { out: Output }, first: Cluster.Info): Promise<Cluster.Info> {
  if (first.state === "ready") return first;
  using progress = step(means.out, `cluster ${first.name}`);
  const cluster = await Watch.cluster(means, first.id, Watch.isSettled, noun => progress.show(Shown.doing(noun.state)));
  const path = `${first.state} → ${cluster.state}`;
  if (cluster.state === "ready" && cluster.failure === undefined) progress.done(path);
  else progress.fail(path);
  return cluster;
}

const NOT_GROWN = "the cluster did not grow, and is as it was: ";

/** Says why a cluster did not come up. @returns the exit code. */
export function clusterFailed(out: Output, cluster: Cluster.Info, what = ""): number {
  const exitCode = Exit.ofCluster(cluster);
  out.data({ cluster, exitCode });
  const { failure } = cluster;
  out.warn(
    `${out.style("red", "muster:")} ${what}${failure?.message ?? `cluster ${cluster.name} is ${cluster.state}`}`,
  );
  if (failure?.hint !== undefined) out.warn(`  ${failure.hint}`);
  out.warn(`  what happened: muster events ${cluster.id}`);
  return exitCode;
}

/** Waits until a job has its hosts; once it has waited for so long, with what it waits for. */
export async function jobBegun(means: Means, first: Job.Info, patienceMs: number): Promise<void> {
  const { out } = means;
  using progress = step(out, `job ${first.id}`);
  const told = { reason: "" };
  const tell = (reason: string): void => {
    if (out.live) progress.show(`queued: ${reason}`);
    else if (reason !== told.reason) out.note(`- job ${first.id}  queued: ${reason}`);
    told.reason = reason;
  };
  const read = waiting(means, first.id, patienceMs, tell);
  const show = ({ state }: Job.Info): void => {
    // A line of its own, with the reason, is on its way.
    if (out.live || !isBefore({ state })) progress.show(state);
  };
  const hasHosts = (job: Job.Info): boolean => !isBefore(job) && job.state !== "recovering";
  const job = await Watch.until(read, hasHosts, show, means.signal);
  // How it ended is told by itself.
  if (Job.isOver(job)) return progress.clear();
  progress.done(`${first.state} → ${job.state}`);
}

/** It has still to wait: for its turn, for others, or to be released. */
const isBefore = ({ state }: Pick<Job.Info, "state">): boolean => state === "queued" || state === "waiting";

/** Reads a job; once it has waited for a while, with what it waits for. */
function waiting(
  { client, signal }: Means,
  id: string,
  patienceMs: number,
  tell: (reason: string) => void,
): () => Promise<Job.Info> {
  const begun = performance.now();
  return async () => {
    if (performance.now() - begun < patienceMs) return client.jobs.get({ params: { job: id } }, { signal });
    const { job, reasons } = await client.jobs.why({ params: { job: id } }, { signal });
    if (isBefore(job) && reasons[0] !== undefined) tell(reasons[0]);
    return job;
  };
}

/** Says what a queued job waits for. */
export async function queuedFor({ out, client, signal }: Means, { id }: Job.Info): Promise<void> {
  const { job, reasons } = await client.jobs.why({ params: { job: id } }, { signal });
  if (isBefore(job) && reasons[0] !== undefined) out.note(`- job ${id}  ${job.state}: ${reasons[0]}`);
}

/** The last line of a job: how it ended, and in how much time. */
export function jobOver(out: Output, job: Job.Info): void {
  const good = job.state === "succeeded";
  const mark = good ? out.style("green", "✓") : out.style("red", "✗");
  const exit = job.exitCode === undefined ? "" : `  exit ${job.exitCode}`;
  const begun = job.startedAt ?? job.createdAt;
  const took = job.endedAt === undefined ? "" : `  ${out.style("dim", duration(job.endedAt - begun))}`;
  const cost = job.cost === undefined ? "" : `  ${out.style("dim", money(soFar(job.cost, Date.now())))}`;
  const title = [job.id, job.name].filter(part => part !== undefined).join(" ");
  out.note(`${mark} job ${title}  ${job.state.replaceAll("_", " ")}${exit}${took}${cost}`);
  // Of one node, the line above says as much.
  const told = job.failure?.code === "exit_code" && job.nodes === 1;
  if (job.failure !== undefined && !told) out.note(`  ${job.failure.message}`);
  if (job.failure?.hint !== undefined) out.note(`  ${job.failure.hint}`);
  if (job.logsComplete === false) out.note("  the end of its log was lost with its machine");
  for (const line of gpuLines(job)) out.note(`  ${line}`);
  if (job.outputs !== undefined) out.note(`  ${outputsLine(job.id, job.outputs)}`);
}

function outputsLine(id: string, { files, bytes, failed }: NonNullable<Job.Info["outputs"]>): string {
  const lost = failed === 0 ? "" : `, ${failed} not kept`;
  const get = files === 0 ? "" : `: muster artifacts get ${id}`;
  return `outputs: ${plural(files, "file")}, ${size(bytes)}${lost}${get}`;
}

/** Whole words on each line, also on a narrow terminal. */
const hint = (out: Output, text: string): string =>
  wrap(text, out.columns() - 2)
    .map(line => out.style("dim", `  ${line}`))
    .join("\n");
