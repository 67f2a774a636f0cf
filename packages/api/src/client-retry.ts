/** Tries a call until it is answered for good: five times at most, with full jitter between tries. */
import { isRetryable, MusterError } from "@muster/core/error.ts";
import type { Decoded } from "./client-answer.ts";

/** One try. Rejects when the network fails; what the control plane answers is in its value. */
export type Attempt = (signal: AbortSignal) => Promise<Decoded>;

interface Patience {
  readonly endpoint: string;
  readonly timeout?: number;
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

const TRIES = 5;
const TIMEOUT = 30_000;
/** Bounds of the random pause before try n + 1, in ms. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;
/** The longest that an answer may make us wait, in ms. */
const LONGEST_RETRY_AFTER = 30_000;

/** @throws MusterError what the control plane said, or `unavailable`; the signal's reason when it fires. */
export async function persist(attempt: Attempt, patience: Patience): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    const outcome = await once(attempt, patience);
    if (outcome.error === undefined) return outcome.value;
    if (tries === TRIES || !isRetryable(outcome.error)) throw outcome.error;
    await (patience.wait ?? pause)(pauseAfter(tries, outcome.retryAfter), patience.signal);
  }
}

async function once(attempt: Attempt, { endpoint, timeout = TIMEOUT, signal }: Patience): Promise<Decoded> {
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(timeout);
  try {
    return await attempt(signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MusterError) throw error;
    return { error: unreachable(endpoint, error, deadline.aborted ? timeout : undefined) };
  }
}

const pauseAfter = (tries: number, retryAfter = 0): number =>
  Math.min(retryAfter, LONGEST_RETRY_AFTER) + Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries);

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function unreachable(endpoint: string, error: unknown, timeout: number | undefined): MusterError {
  const why = timeout === undefined ? reason(error) : `no answer within ${timeout / 1000} s`;
  const hint = "see that the control plane runs, and that the endpoint is right (--endpoint or MUSTER_ENDPOINT)";
  return new MusterError("unavailable", `cannot reach ${endpoint}: ${why}`, { hint }, error);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  UND_ERR_SOCKET: "the connection was closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name could not be looked up",
};

/** `fetch` itself only says that it failed; what happened is in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  return REASONS[code] ?? (cause.message || code);
}
