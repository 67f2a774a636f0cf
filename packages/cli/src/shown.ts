/** Nouns as rows and lines. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { soFar } from "@muster/core/cost/cost.ts";
import { coarseOf } from "@muster/core/job/coarse.ts";
import type * as Job from "@muster/core/job/job.ts";
import { age, money, plural, price } from "./format.ts";
import * as Idle from "./idle.ts";
import type { Output } from "./output.ts";
import { table } from "./table.ts";

const GOOD = new Set(["ready", "running", "succeeded", "up"]);
const BAD = new Set(["failed", "broken", "lost", "timed_out"]);
const OVER = new Set(["terminated", "stopped", "cancelled", "gone"]);

/** A state in its colour. */
export function state(out: Output, name: string): string {
  if (GOOD.has(name)) return out.paint("green", name);
  if (BAD.has(name)) return out.paint("red", name);
  return out.paint(OVER.has(name) ? "dim" : "yellow", name);
}

/** What a cluster does that is on its way, where that takes long enough for a person to wonder. */
export const doing = (name: Cluster.State): string =>
  name === "moving" ? "moving: its disks are copied, which takes minutes to an hour" : name;

/** Its name, and that of the job group it is of. */
const called = ({ name = "-", jobGroup }: Job.Info): string =>
  jobGroup === undefined ? name : `${name} (${jobGroup.name})`;

export function clusters(out: Output, items: readonly Cluster.Info[], jobs: readonly Job.Info[], now: number): string {
  const paid = items.some(cluster => cluster.cost !== undefined);
  const head = ["NAME", "STATE", "HOSTS", "TYPE", "$/H", ...(paid ? ["COST"] : []), "IDLE POLICY", "AGE", "JOBS"];
  const rows = items.flatMap(cluster => [
    [
      cluster.name,
      state(out, cluster.state),
      String(cluster.nodes),
      several(cluster) ? `${cluster.groups.length} groups` : (cluster.instanceType ?? "-"),
      hourly(cluster),
      ...(paid ? [cluster.cost === undefined ? "-" : money(soFar(cluster.cost, now))] : []),
      cluster.pool === undefined ? Idle.column(cluster, now) : `pool ${cluster.pool}`,
      age(now - cluster.createdAt),
      jobCounts(jobs.filter(job => job.clusterId === cluster.id)),
    ],
    ...groups(cluster, paid),
  ]);
  return table(head, rows);
}

/** Whether it has more than one group. A control plane that is older than groups says nothing of them. */
const several = ({ groups: all = [] }: Cluster.Info): boolean => all.length > 1;

/** A row for each group, below its cluster; none where there is only one. */
const groups = (cluster: Cluster.Info, paid: boolean): string[][] =>
  !several(cluster)
    ? []
    : cluster.groups.map(group => [
        `  ${group.name}`,
        "",
        String(group.nodes),
        group.instanceType ?? "-",
        hourly(group),
        ...(paid ? [""] : []),
        "",
        "",
        group.schedulable ? "" : "takes none",
      ]);

const hourly = (of: { readonly hourly?: number | undefined }): string =>
  of.hourly === undefined ? "-" : price(of.hourly);

/** `2 running, 1 queued`. */
function jobCounts(jobs: readonly Job.Info[]): string {
  const counts = Map.groupBy(jobs, job => job.state);
  return [...counts].map(([name, some]) => `${some.length} ${name}`).join(", ") || "-";
}

export interface Queued {
  readonly job: Job.Info;
  /** From 1; absent when the job has its hosts. */
  readonly position?: number;
}

/** Jobs in the order in which their clusters will run them: those that run, then the queue by priority and age. */
export function queueOrder(jobs: readonly Job.Info[]): Queued[] {
  const byCluster = Map.groupBy(jobs, job => job.clusterName);
  return [...byCluster].flatMap(([, some]) => {
    const waiting = some.filter(job => job.state === "queued").toSorted(sooner);
    const placed = some.filter(job => job.state !== "queued").toSorted(sooner);
    return [...placed.map(job => ({ job })), ...waiting.map((job, index) => ({ job, position: index + 1 }))];
  });
}

const sooner = (a: Job.Info, b: Job.Info): number => b.priority - a.priority || (a.id < b.id ? -1 : 1);

export function queue(out: Output, items: readonly Queued[], now: number): string {
  const hasRuns = items.some(({ job }) => job.runs !== undefined);
  const head = ["POSITION", "JOB", "NAME", "STATE", "CLUSTER", "HOSTS", ...(hasRuns ? ["RUNS"] : []), "AGE"];
  const rows = items.map(({ job, position }) => [
    position === undefined ? "-" : String(position),
    job.id,
    called(job),
    jobState(out, job, now),
    job.clusterName,
    String(job.nodes),
    ...(hasRuns ? [done(job)] : []),
    age(now - job.createdAt),
  ]);
  return table(head, rows);
}

/** A line for each service of jobs that run: where it is. */
export function endpoints(jobs: readonly Job.Info[]): string[] {
  const named = ({ name, id }: Job.Info): string => (name === undefined ? id : `${id} ${name}`);
  return jobs.flatMap(job => (job.endpoints ?? []).map(({ name, url }) => `${name}: ${url} (${named(job)})`));
}

/** Of an array: `37/100` of its runs have ended. */
export function done({ runs }: Job.Info): string {
  if (runs === undefined) return "-";
  return `${runs.succeeded + runs.failed + runs.cancelled + runs.timedOut}/${runs.count}`;
}

/** With the time of its next try, of a job that will have one. */
function jobState(out: Output, job: Job.Info, now: number): string {
  const again =
    job.retryAt === undefined ? "" : `, again ${job.retryAt > now ? `in ${age(job.retryAt - now)}` : "soon"}`;
  return state(out, job.state) + again;
}

/** Jobs as they are given, each with how it ended. */
export function history(out: Output, jobs: readonly Job.Info[], now: number): string {
  const head = ["JOB", "NAME", "STATE", "EXIT", "CLUSTER", "HOSTS", "AGE"];
  const rows = jobs.map(job => [
    job.id,
    called(job),
    state(out, job.state),
    job.exitCode === undefined ? "-" : String(job.exitCode),
    job.clusterName,
    String(job.nodes),
    age(now - job.createdAt),
  ]);
  return table(head, rows);
}

/** What ending these jobs means: `1 job is running and 2 wait: they will be cancelled`; nothing without any. */
export function doomed(jobs: readonly Pick<Job.Info, "state">[]): string | undefined {
  const waiting = jobs.filter(job => coarseOf(job.state) === "pending").length;
  const running = jobs.length - waiting;
  const parts = [
    ...(running === 0 ? [] : [`${plural(running, "job")} ${running === 1 ? "is" : "are"} running`]),
    ...(waiting === 0
      ? []
      : [`${running === 0 ? plural(waiting, "job") : waiting} ${waiting === 1 ? "waits" : "wait"}`]),
  ];
  if (parts.length === 0) return undefined;
  return `${parts.join(" and ")}: ${jobs.length === 1 ? "it" : "they"} will be cancelled`;
}

/** `1 host`, `3 hosts`. */
export const hosts = (count: number): string => plural(count, "host");
