/** Whether a try that ended badly is followed by another one, and when: a pure decision over the job and its verdict. */
import { Retry, type RetryCause } from "../task/retry.ts";
import type { Task } from "../task/task.ts";
import type * as Job from "./job.ts";

/** What a managed job does whose task says nothing of it: machines that are lost are no reason to end. */
export const MANAGED: Retry = Retry.parse({ max: 100, on: ["capacity", "interruption", "host_lost"] });

/** What of the task's word on retries stands on the job's record. */
export function retryOf({ retry }: Pick<Task, "retry">, managed: boolean): Pick<Job.Job, "retry" | "managed"> {
  if (managed) return { managed, retry: retry ?? MANAGED };
  return retry === undefined ? {} : { retry };
}

/** Codes of failures, of a try's and of a cluster's, that are worth another try to those who ask for it. */
const causes: Readonly<Record<string, RetryCause>> = {
  exit_code: "exit_code",
  setup_failed: "setup_failed",
  timed_out: "timeout",
  host_lost: "host_lost",
  hosts_lost: "host_lost",
  machines_lost: "host_lost",
  boot_timeout: "host_lost",
  interrupted: "interruption",
  no_capacity: "capacity",
  quota_exceeded: "capacity",
  no_offer: "capacity",
  over_budget: "capacity",
};

/** Which cause a failure counts as; undefined for those that no other try would mend. */
export const causeOf = ({ code }: { readonly code: string }): RetryCause | undefined => causes[code];

/** The longest pause, in ms. */
const LONGEST = 3_600_000;

/** The pause after so many that came to nothing before, in ms: each is twice as long as the one before. */
export const pauseOf = (first: number, before: number, longest = LONGEST): number =>
  // Doubled no more often than a number bears.
  Math.min(first * 2 ** Math.min(before, 40), longest);

type Tried = Pick<Job.Job, "retry" | "attempts" | "portsTaken">;

/** Tries that may find the port taken that their nodes were to meet at; each has another one. */
const MOST_PORTS = 5;

export const isPortTaken = ({ failure }: Pick<Job.Verdict, "failure">): boolean => failure?.code === "port_taken";

/** Epoch ms at which the job is tried again; undefined when this was its last try. */
export function retryAt(
  { retry, attempts: all, portsTaken = 0 }: Tried,
  { failure, exitCode }: Pick<Job.Verdict, "failure" | "exitCode">,
  now: number,
): number | undefined {
  // It is nothing that the job, or its hosts, have done: nobody has to ask for that.
  if (isPortTaken({ failure })) return portsTaken < MOST_PORTS ? now : undefined;
  const attempts = all - portsTaken;
  if (retry === undefined || failure === undefined || attempts > retry.max) return undefined;
  const cause = causeOf(failure);
  if (cause === undefined || !retry.on.includes(cause)) return undefined;
  if (cause === "exit_code" && !isWorthIt(retry, exitCode)) return undefined;
  return now + pauseOf(retry.backoff * 1000, Math.max(0, attempts - 1));
}

const isWorthIt = ({ exitCodes }: Retry, exitCode: number | undefined): boolean =>
  exitCodes === undefined || (exitCode !== undefined && exitCodes.includes(exitCode));
