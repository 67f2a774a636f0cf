/**
 * The one layer that tries again.
 *
 * Waits grow and are drawn at random between nothing and the whole (full jitter), so that those who failed together do
 * not come back together. Each endpoint has a budget of repeats, as the SDK has: it begins with a reserve and is filled
 * by successes only, so a dependency that is down sees hardly more than what is asked of it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";

export interface Patience {
  /** The first one counts. */
  readonly attempts: number;
  /** The longest first wait, in ms; it doubles with each further attempt. */
  readonly base: number;
  /** Whether it does no harm to ask again when nobody knows what became of the first request. */
  readonly repeatable: boolean;
}

/** Repeats that an endpoint can have at once. */
export const RESERVE = 50;
/** Of a repeat, that each success earns. */
const EARNED = 0.1;
const LONGEST_WAIT_MS = 5000;

/** What is known of one endpoint, in this process. */
export interface Standing {
  repeats: number;
  /** To be added to this machine's clock, in ms. */
  skew: number;
}

const standings = new Map<string, Standing>();

export function standingOf(origin: string): Standing {
  const standing = standings.get(origin) ?? { repeats: RESERVE, skew: 0 };
  standings.set(origin, standing);
  return standing;
}

/** Asks until it succeeds, or trying again is of no use, not safe, or beyond the budget. @throws Fault the last one */
export async function retrying<T>(
  patience: Patience,
  standing: Standing,
  ask: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await ask(attempt);
      standing.repeats = Math.min(RESERVE, standing.repeats + EARNED);
      return result;
    } catch (error) {
      if (!isWorthwhile(error, patience) || attempt >= patience.attempts || !spend(standing)) throw error;
      await sleep(Math.random() * Math.min(LONGEST_WAIT_MS, patience.base * 2 ** (attempt - 1)));
    }
  }
}

/** Takes one repeat from the budget, if one is left. */
export function spend(standing: Standing): boolean {
  if (standing.repeats < 1) return false;
  standing.repeats -= 1;
  return true;
}

const isWorthwhile = (error: unknown, { repeatable }: Patience): boolean =>
  error instanceof Fault && (error.kind === "throttled" || (error.kind === "unknown" && repeatable));
