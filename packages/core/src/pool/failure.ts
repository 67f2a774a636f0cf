/** What a pool remembers of a member that came to nothing, and how long it waits before it makes another. */
import * as Actor from "../actor/actor.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import * as Pool from "./pool.ts";

const MINUTE = 60_000;

/** Pauses after the first, the second, … failure in a row, in ms; the last after all that follow. */
const PAUSES = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE] as const;
const LONGEST = 60 * MINUTE;

const pauseAfter = (failures: number): number => PAUSES[failures - 1] ?? LONGEST;

interface Why extends Omit<Pool.Setback, "at"> {
  /** It had been prepared, and was lost. */
  readonly wasPrepared?: boolean;
}

/**
 * Machines that come to nothing cost what others cost: a setup that is broken must not make them in a loop. That many which
 * were prepared are lost at once says nothing of those that are made next: they are one failure.
 */
export function failed(
  world: Pick<Basics, "clock" | "random">,
  pool: Stored<Pool.Pool>,
  { code, message, clusterId, wasPrepared = false }: Why,
): Write[] {
  const at = world.clock.now();
  const isKnown = wasPrepared && pool.failures > 0 && (pool.retryAt ?? 0) > at;
  const failures = isKnown ? pool.failures : pool.failures + 1;
  const setback = { at, code, message: message.slice(0, 400), ...(clusterId !== undefined && { clusterId }) };
  const retryAt = isKnown ? pool.retryAt : at + pauseAfter(failures);
  const { next, write } = amend<Pool.Pool>(Pool.noun, pool, { failures, retryAt, setback });
  const about = clusterId === undefined ? {} : { clusterId };
  const why = { message: setback.message, details: { code, failures }, ...about };
  return [write, Pool.eventOf(world, Actor.system(pool.workspace), next, "failed", why)];
}
