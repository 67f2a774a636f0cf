/** What there is to tell of a report's subject, as things are now. */
import { system } from "../actor/actor.ts";
import { soFar } from "../cost/cost.ts";
import { MusterError } from "../error.ts";
import type * as Job from "../job/job.ts";
import { get } from "../job/read.ts";
import { why } from "../job/why.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { duration, money, plain } from "./plain.ts";
import type { Report } from "./report.ts";

/** `error`: not the job's own doing, such as that it could not start. `held`: somebody has to say that it may. */
export type Phase = "waiting" | "running" | "success" | "failure" | "error" | "cancelled" | "timed_out" | "held";

export interface Telling {
  readonly phase: Phase;
  /** One line. */
  readonly line: string;
  readonly job?: Job.Info;
  /** US dollars; absent: nothing, or not known yet. */
  readonly cost?: number;
  /** Epoch ms at which it may read otherwise although nothing has happened; absent: never. */
  readonly lookAt?: number;
}

export const isOver = ({ phase }: Telling): boolean => phase !== "waiting" && phase !== "running";

type Part = { readonly table: Table; readonly clock: Clock };

/** @throws MusterError as reading a job does, but for one that is not there: that is told */
export async function tellingOf(world: Part, { workspace, subject }: Report): Promise<Telling> {
  if (subject.kind === "refused") return { phase: "error", line: `could not start: ${subject.message}` };
  if (subject.kind === "held") return { phase: "held", line: subject.message };
  if (subject.kind === "cluster") return { phase: "success", line: `made cluster '${subject.name}', and ran nothing` };
  const job = await get(world, system(workspace), subject.jobId).catch(error => {
    if (error instanceof MusterError && error.code === "not_found") return undefined;
    throw error;
  });
  if (job === undefined) return { phase: "error", line: `job ${subject.jobId} is not there any more` };
  if (job.done) return ended(world, job);
  return job.coarse === "pending" ? waiting(world, workspace, job) : running(world, job);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long it has waited, in steps: what is told changes with each, and with nothing else. */
const STEPS = [10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 96 * HOUR];

/** What waits long says what for: nobody should have to guess whether it hangs. */
async function waiting(world: Part, workspace: string, job: Job.Info): Promise<Telling> {
  const waited = world.clock.now() - job.createdAt;
  const step = STEPS.findLast(one => one <= waited);
  const next = STEPS.find(one => one > waited);
  const lookAt = next === undefined ? world.clock.now() + 24 * HOUR : job.createdAt + next;
  const word = job.state === "recovering" ? "to be tried again" : "queued";
  if (step === undefined) return { phase: "waiting", line: `${word} on cluster '${job.clusterName}'`, job, lookAt };
  const { reasons } = await why(world, system(workspace), job.id);
  const reason = reasons[0] ?? `on cluster '${job.clusterName}'`;
  return { phase: "waiting", line: `${word} for more than ${duration(step)}: ${plain(reason)}`, job, lookAt };
}

/** A job may take its time; whether it is still there is looked at now and then, should nobody have said that it ended. */
function running({ clock }: Part, job: Job.Info): Telling {
  const now = clock.now();
  const pause = Math.min(HOUR, Math.max(5 * MINUTE, now - job.changedAt));
  const ending = job.state === "cancelling" ? "being cancelled" : "running";
  const line = job.runs === undefined ? ending : `${ending}: ${job.runs.count} runs`;
  return { phase: "running", line: `${line} on cluster '${job.clusterName}'`, job, lookAt: now + pause };
}

const PHASES: Readonly<Record<string, Phase>> = {
  succeeded: "success",
  cancelled: "cancelled",
  timed_out: "timed_out",
};
const WORDS: Readonly<Record<string, string>> = { timed_out: "ran out of time" };

function ended({ clock }: Part, job: Job.Info): Telling {
  const endedAt = job.endedAt ?? clock.now();
  const cost = soFar(job.cost, endedAt);
  const phase = PHASES[job.state] ?? (job.exitCode === undefined ? "error" : "failure");
  const line = [wordOf(job, phase), job.startedAt === undefined ? "" : ` after ${duration(endedAt - job.startedAt)}`];
  if (cost > 0) line.push(`, ${money(cost)}`);
  if (phase === "failure" || phase === "error") line.push(whyOf(job));
  return { phase, line: line.join(""), job, ...(cost > 0 && { cost }) };
}

const wordOf = ({ state, startedAt }: Job.Info, phase: Phase): string =>
  phase === "error" && startedAt === undefined ? "could not start" : (WORDS[state] ?? state);

function whyOf({ failure, exitCode }: Job.Info): string {
  if (failure !== undefined) return `: ${plain(failure.message)}`;
  return exitCode === undefined ? "" : `: it exited with ${exitCode}`;
}
