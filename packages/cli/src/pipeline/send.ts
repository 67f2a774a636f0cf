/** The tasks of a file on their way to one cluster: the first makes or finds it, the others follow. */
import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import type { Output } from "../output.ts";
import type { Step } from "./order.ts";

export type Submit = InputOf<Routes["jobs.submit"]>["body"];

/** A step that is ready to be sent. */
export interface Ready extends Step {
  readonly task: TaskInput;
  /** What is said of its place in the queue, but for the other steps. */
  readonly queueing: Omit<Submit, "task" | "down">;
}

export interface Sent {
  readonly cluster: Cluster.Info;
  /** Whether the cluster was there before. */
  readonly reused: boolean;
  /** In the order of the steps. */
  readonly jobs: readonly Job.Info[];
}

/** How the first is sent: it brings the cluster, or goes to one that is there. */
export type Begin = (
  body: Submit,
  key: string,
) => Promise<{ readonly cluster: Cluster.Info; readonly job?: Job.Info | undefined; readonly reused: boolean }>;

/**
 * One after the other: what was sent when one is refused stays, and is told.
 * @param down whether the last tears the cluster down
 */
export async function send(
  out: Output,
  client: Client,
  steps: readonly Ready[],
  begin: Begin,
  down: boolean,
): Promise<Sent> {
  const key = randomUUID();
  const jobs: Job.Info[] = [];
  const found: { first?: Awaited<ReturnType<Begin>> } = {};
  try {
    for (const [index, step] of steps.entries()) {
      const body = bodyOf(step, jobs, down && index === steps.length - 1);
      const job = await sendOne(client, found, begin, body, `${key}-${index}`);
      if (job === undefined) throw new Error("a task was launched, and made no job");
      jobs.push(job);
    }
  } catch (error) {
    if (jobs.length > 0) tell(out, steps, jobs);
    throw error;
  }
  if (found.first === undefined) throw new Error("a file of several tasks has none");
  return { cluster: found.first.cluster, reused: found.first.reused, jobs };
}

async function sendOne(
  client: Client,
  found: { first?: Awaited<ReturnType<Begin>> },
  begin: Begin,
  body: Submit,
  idempotencyKey: string,
): Promise<Job.Info | undefined> {
  if (found.first !== undefined)
    return client.jobs.submit({ params: { cluster: found.first.cluster.id }, body }, { idempotencyKey });
  found.first = await begin(body, idempotencyKey);
  return found.first.job;
}

function bodyOf({ task, queueing, waits }: Ready, jobs: readonly Job.Info[], down: boolean): Submit {
  const { after: given = [], hold, force, onBusy, ...rest } = queueing;
  const others = waits.flatMap(({ task: at, on }) => (jobs[at] ? [{ job: jobs[at].id, on }] : []));
  // What the command line says to wait for holds back those that begin, and they the others.
  const after = others.length > 0 ? others : given;
  return {
    ...rest,
    task,
    down,
    ...(after.length > 0 && { after }),
    ...(hold && others.length === 0 && { hold }),
    // The others find the first one there, which is no reason to refuse or to cancel anything.
    ...(jobs.length === 0 && { ...(force && { force }), ...(onBusy && { onBusy }) }),
  };
}

function tell(out: Output, steps: readonly Step[], jobs: readonly Job.Info[]): void {
  out.warn("Not all of the tasks were accepted. These were, and go on:");
  for (const [index, job] of jobs.entries()) out.warn(`  ${job.id}  ${steps[index]?.title}`);
  out.warn(`  cancel them: muster cancel ${jobs.map(({ id }) => id).join(" ")}`);
}
