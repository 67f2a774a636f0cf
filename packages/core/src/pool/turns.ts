/** When a pool changes its size, and to what. */
import { nextTime } from "../schedule/next.ts";
import type { Turn } from "./pool.ts";

export interface Due {
  /** Epoch ms. */
  readonly at: number;
  readonly size: number;
}

/** The first change after that; of several at one time that which is said last. Undefined when there is none. */
export function nextTurn(turns: readonly Turn[], after: number): Due | undefined {
  let next: Due | undefined;
  for (const turn of turns) {
    const at = nextTime(turn, after);
    if (at !== undefined && (next === undefined || at <= next.at)) next = { at, size: turn.size };
  }
  return next;
}

/** The last change of those after `since`, up to and with `now`. Undefined when there was none. */
export function lastTurn(turns: readonly Turn[], since: number, now: number): Due | undefined {
  let last: Due | undefined;
  for (const turn of turns) {
    const at = lastTime(turn, since, now);
    if (at !== undefined && (last === undefined || at >= last.at)) last = { at, size: turn.size };
  }
  return last;
}

/** Halves what is left to search: a line that comes every minute has very many times in a month that nobody was there. */
function lastTime(turn: Turn, since: number, now: number): number | undefined {
  let last: number | undefined;
  let from = since;
  let to = now;
  while (from < to) {
    const middle = last === undefined ? from : from + Math.floor((to - from) / 2);
    const at = nextTime(turn, middle);
    if (at === undefined || at > now) to = middle;
    else from = last = at;
  }
  return last;
}
