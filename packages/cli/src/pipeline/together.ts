/** Staying with the jobs of a group: their logs as one, each line with the task that wrote it, until all have ended. */
import * as Job from "@muster/core/job/job.ts";
import type * as JobGroup from "@muster/core/jobgroup/jobgroup.ts";
import { clusterFailed, clusterUp, jobOver, type Means, remains } from "../attend.ts";
import * as Exit from "../exit.ts";
import { aside, betweenTries, both, type Ending, type Target, textSink } from "../sinks.ts";
import { stream } from "../stream.ts";
import * as Watch from "../watch.ts";

const LF = 0x0a;

/** Whole lines, each with the task's name in front. */
export function named(target: Target, name: string): Target & { rest(): Promise<void> } {
  const prefix = Buffer.from(`(${name}) `);
  const open = { text: Buffer.alloc(0) };
  const show = async (text: Buffer): Promise<void> => {
    const parts: Buffer[] = [];
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf(LF, from) + 1;
      parts.push(prefix, text.subarray(from, end));
      from = end;
    }
    if (parts.length > 0) await target.bytes(Buffer.concat(parts));
  };
  return {
    terminal: target.terminal,
    bytes: async chunk => {
      const text = Buffer.concat([open.text, chunk]);
      const end = text.lastIndexOf(LF) + 1;
      open.text = text.subarray(end);
      await show(text.subarray(0, end));
    },
    rest: async () => {
      const left = open.text;
      open.text = Buffer.alloc(0);
      if (left.length > 0) await show(Buffer.concat([left, Buffer.from("\n")]));
    },
  };
}

/** The job's log on its way to one place. */
function sinkOf(target: Target, name: string, nodes: number): Ending {
  const lines = named(target, name);
  const sink = textSink(lines, nodes);
  return {
    ...sink,
    end: async () => {
      await sink.end();
      await lines.rest();
    },
  };
}

/** Waits for the cluster, then for all jobs, with their logs. */
export const attendGroup =
  ({ group, cluster: first, jobs }: JobGroup.Launched) =>
  async (means: Means): Promise<number> => {
    const { out, client, signal } = means;
    const cluster = await clusterUp(means, first);
    if (cluster.state !== "ready") return clusterFailed(out, cluster);
    const ended = await Promise.all(jobs.map(job => follow(means, job, group)));
    const read = () => client.jobGroups.get({ params: { group: group.id } }, { signal });
    const done = await Watch.until(
      read,
      one => one.done,
      () => {},
      signal,
    );
    const exitCode = exitOf(done, ended);
    out.data({ group: done, cluster, jobs: ended, exitCode });
    const isTornDown = ended.some(({ down }) => down);
    out.note(out.style("dim", `  ${isTornDown ? `cluster ${cluster.name} is being torn down` : remains(cluster)}`));
    return exitCode;
  };

/** That of the first of its primary tasks that did not end well. */
function exitOf({ state, tasks }: JobGroup.Info, ended: readonly Job.Info[]): number {
  const primary = new Set(tasks.filter(task => task.primary).map(({ jobId }) => jobId));
  const bad = ended
    .filter(job => primary.has(job.id) && job.state !== "succeeded")
    .toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  return state === "succeeded" || bad[0] === undefined ? 0 : Exit.ofJob(bad[0]);
}

/** One task, with its log. @returns its job, which has ended */
async function follow(means: Means, first: Job.Info, group: JobGroup.Info): Promise<Job.Info> {
  const { out } = means;
  const name = first.name ?? first.id;
  const hasBegun = (job: Job.Info): boolean => Job.isOver(job) || job.startedAt !== undefined;
  const begun = await Watch.job(means, first.id, hasBegun, () => {});
  if (begun.startedAt !== undefined) {
    out.note(`- job ${first.id} ${name}  running`);
    const copy = means.copy && sinkOf({ ...means.copy, terminal: false }, name, first.nodes);
    const tries = (line: string) => out.note(out.style("yellow", `(${name}) ${line}`));
    const into = betweenTries({ ...both(sinkOf(out, name, first.nodes), copy), tell: aside(out) }, tries);
    const { copy: _, ...alone } = means;
    await stream(alone, first, true, { into });
  }
  const job = await Watch.job(means, first.id, Job.isOver, () => {});
  const isPrimary = group.tasks.some(task => task.jobId === job.id && task.primary);
  if (job.state === "cancelled" && !isPrimary) out.note(`- job ${job.id} ${name}  ended with its group`);
  else jobOver(out, job);
  return job;
}
