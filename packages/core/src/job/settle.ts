/**
 * Settling a job: from what its nodes have reported, moves it on. Reads and writes the table only, so that an agent's
 * report can do it at once. A try ends when every node has ended; the first thing that went wrong decides how, and with it
 * whether there is another one.
 */

import * as Actor from "../actor/actor.ts";
import * as Attempt from "../attempt/attempt.ts";
import { retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import { sum } from "../output/manifest.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, read, type Stored } from "../record.ts";
import { ending } from "./end.ts";
import * as Job from "./job.ts";
import { peaksOf } from "./peaks.ts";
import { recovery } from "./recover.ts";

/** How often a running job's hosts are looked after, in ms. */
export const RUN_CHECK = 300_000;

export interface JobRef {
  readonly workspace: string;
  readonly jobId: string;
}

/** @returns the job as it is now; undefined when there is none. */
export const settle = (world: Basics, ref: JobRef): Promise<Stored<Job.Job> | undefined> =>
  retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(ref.workspace, ref.jobId));
    if (job === undefined || !Job.isPlaced(job)) return job;
    return step(world, job, await rows(world, job));
  });

/** What the nodes of this try have reported so far. */
export async function rows(world: Basics, job: Job.Placed): Promise<Stored<Attempt.Attempt>[]> {
  const { pk } = Keys.job(job.workspace, job.id);
  const found: Stored<Attempt.Attempt>[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({
      pk,
      prefix: Keys.attemptPrefix(job.fence),
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    });
    found.push(...page.items.map(item => read(Attempt.noun, item)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

async function step(
  world: Basics,
  job: Stored<Job.Placed>,
  attempts: readonly Attempt.Attempt[],
): Promise<Stored<Job.Job>> {
  const ended = attempts.filter(attempt => attempt.state === "exited" || attempt.state === "lost");
  const found = verdictOf(ended, job.exec === undefined ? firstInTime : byRank);
  // What was to end since a machine is taken back may have come to its own end before that.
  const isWell = isTakenBack(job) && found === undefined && ended.length === job.nodes;
  const verdict = isWell ? undefined : (job.verdict ?? found);
  if (ended.length === job.nodes) return close(world, job, ended, verdict);
  // What fails of commands on one host is no matter of the others.
  if (verdict && job.verdict === undefined && job.exec === undefined) return note(world, job, { verdict });
  const began = attempts.find(attempt => attempt.state !== "assigned" && attempt.state !== "preparing");
  const endpoints = endpointsOf(attempts);
  if (job.state === "running" && endpoints && job.endpoints === undefined) return note(world, job, { endpoints });
  if (job.state !== "starting" || began === undefined) return job;
  const now = world.clock.now();
  const move = advance(world, Job.kind, Actor.system(job.workspace), job, "run", {
    startedAt: began.createdAt,
    dueAt: checkAt(job, now),
    endpoints,
  });
  await world.table.write(move.writes);
  return move.next;
}

/** Whether its nodes were told to end since the cloud takes one of their machines back. */
export const isTakenBack = ({ verdict }: Pick<Job.Placed, "verdict">): boolean =>
  verdict?.failure?.code === "interrupted";

/** When a running job must be looked at again: at its time limit or after the usual while, whichever comes first. */
export function checkAt(job: Job.Placed, now: number): number {
  const limit = expiresAt(job);
  return limit === undefined || limit <= now ? now + RUN_CHECK : Math.min(limit, now + RUN_CHECK);
}

/** How long after its time limit the control plane steps in, in ms; until then it is the agent's. */
const EXPIRY_SLACK = 60_000;

/** Epoch ms at which the control plane ends an overdue job. */
export function expiresAt(job: Job.Placed): number | undefined {
  return job.timeout === undefined ? undefined : (job.startedAt ?? job.changedAt) + job.timeout * 1000 + EXPIRY_SLACK;
}

/** Services are on the job's first host, which may begin after others. */
function endpointsOf(attempts: readonly Attempt.Attempt[]): Job.Placed["endpoints"] {
  const first = attempts.find(({ rank, state }) => rank === 0 && state === "running");
  return first?.state === "running" ? first.endpoints : undefined;
}

async function note(
  world: Basics,
  job: Stored<Job.Placed>,
  patch: Pick<Job.Placed, "verdict" | "endpoints">,
): Promise<Stored<Job.Job>> {
  const { next, write } = amend<Job.Job>(Job.noun, job, patch);
  await world.table.write([write]);
  return next;
}

async function close(
  world: Basics,
  job: Stored<Job.Placed>,
  ended: readonly (Attempt.Attempt & { state: "exited" | "lost" })[],
  verdict: Job.Verdict | undefined,
): Promise<Stored<Job.Job>> {
  const again = await recovery(world, job, verdict);
  if (again !== undefined) {
    await world.table.write(again.writes);
    return again.move.next;
  }
  const logsComplete = ended.every(attempt => attempt.state === "exited" && attempt.logsComplete);
  const event = closingEvent(job, verdict);
  const { move, writes } = await ending(world, Actor.system(job.workspace), job, event, {
    verdict: undefined,
    logsComplete,
    gpuPeaks: peaksOf(ended),
    outputs: sum(ended.map(attempt => (attempt.state === "exited" ? attempt.outputs : undefined))),
    startedAt: job.startedAt ?? Math.min(...ended.map(attempt => attempt.createdAt)),
    exitCode: event === "succeed" ? 0 : verdict?.exitCode,
    failure: event === "fail" || event === "expire" ? verdict?.failure : undefined,
  });
  await world.table.write(writes);
  return move.next;
}

function closingEvent(job: Job.Placed, verdict: Job.Verdict | undefined): "cancelled" | "succeed" | "fail" | "expire" {
  if (job.state === "cancelling") return "cancelled";
  return verdict?.event ?? "succeed";
}

type Order = (a: Attempt.Attempt, b: Attempt.Attempt) => number;
const firstInTime: Order = (a, b) => a.changedAt - b.changedAt;
const byRank: Order = (a, b) => a.rank - b.rank;

/** The first node that did not end well. */
function verdictOf(ended: readonly Attempt.Attempt[], order: Order): Job.Verdict | undefined {
  const bad = ended.filter(
    attempt => !(attempt.state === "exited" && attempt.cause === "exited" && attempt.exitCode === 0),
  );
  const first = bad.toSorted(order)[0];
  if (first === undefined || (first.state !== "exited" && first.state !== "lost")) return undefined;
  const exitCode = first.state === "exited" ? first.exitCode : undefined;
  return {
    event: first.cause === "timed_out" ? "expire" : "fail",
    rank: first.rank,
    ...(exitCode !== undefined && { exitCode }),
    failure: failureOf(first),
  };
}

function failureOf(attempt: Attempt.Attempt & { state: "exited" | "lost" }): Job.Verdict["failure"] {
  const where = `on rank ${attempt.rank}`;
  const said = attempt.state === "exited" && attempt.message !== undefined ? `: ${attempt.message}` : "";
  const code = attempt.state === "exited" ? attempt.exitCode : undefined;
  const messages: Record<Attempt.Cause, string> = {
    exited: `the script exited with ${code} ${where}`,
    setup_failed: `setup failed ${where}${code === undefined ? "" : ` with exit code ${code}`}${said}`,
    inputs_failed: `the inputs could not be brought to the host ${where}${said}`,
    start_failed: `the script could not be started ${where}${said}`,
    port_taken: `a port was taken ${where}${said}`,
    timed_out: `the job ran into its time limit ${where}`,
    cancelled: `ended ${where}${said}`,
    host_lost: `the host was lost ${where}${said}`,
    interrupted: `the cloud took the machine back ${where}`,
    gpus_missing: `the host does not have the GPUs that the job asked for ${where}${said}`,
    container_failed: `the container failed ${where}${said}`,
  };
  return { code: attempt.cause === "exited" ? "exit_code" : attempt.cause, message: messages[attempt.cause] };
}
