/**
 * Silent hosts. Silence alone proves nothing: it may be the control plane that was away. So it is noticed first, and
 * judged only by a later look that came in time, when the host has still not called; the machine's absence makes the
 * judgement quick, its presence makes it slow.
 */
import type { ClusterRef, Machine } from "../ports/provider.ts";
import type { Table } from "../ports/table.ts";
import { idOf } from "./id.ts";
import { SUSPECT_AFTER } from "./patience.ts";
import { pulsesOf } from "./pulses.ts";

/** How soon a suspect is looked at again, in ms: its agent is kicked, and has time to call. */
export const LOOK_AGAIN = 60_000;
/** How long a suspect whose machine runs is waited for, in ms. Should it come back later, its fence is stale. */
export const LOST_AFTER = 900_000;
/** A look that comes this much too late, in ms, says that nobody was there to be called. */
const LATE = 90_000;

export interface Watch {
  /** Epoch ms of the look that first found somebody silent; undefined when nobody was. */
  readonly suspectedAt?: number | undefined;
  /** When this look should have come, epoch ms. */
  readonly dueAt: number;
  /** Nobody was expected to call before this, epoch ms. */
  readonly from: number;
}

export interface Silent {
  readonly rank: number;
  /** Epoch ms until which it was heard, or not expected to call. */
  readonly heard: number;
  /** True: enough is known to give the host up. */
  readonly gone: boolean;
}

/** When each host called last, epoch ms, by rank. */
export async function lastCalls(table: Table, ref: ClusterRef): Promise<ReadonlyMap<number, number>> {
  const pulses = await pulsesOf(table, ref);
  return new Map([...pulses].map(([rank, { at }]) => [rank, at]));
}

/** Which of these hosts are silent, and which of them are gone. Pure. */
export function silentOf(
  ranks: readonly number[],
  watch: Watch,
  seen: { readonly now: number; readonly calls: ReadonlyMap<number, number>; readonly running: ReadonlySet<string> },
  clusterId: string,
): Silent[] {
  const { now, calls, running } = seen;
  const since = isOnTime(watch, now) ? watch.suspectedAt : undefined;
  return ranks.flatMap(rank => {
    const heard = Math.max(calls.get(rank) ?? 0, watch.from);
    if (now - heard <= SUSPECT_AFTER) return [];
    const patience = running.has(idOf(clusterId, rank)) ? LOST_AFTER : LOOK_AGAIN;
    return [{ rank, heard, gone: since !== undefined && heard < since && now - since >= patience }];
  });
}

/** What to note after a look: since when somebody is suspect, and when to look again; undefined when all have called. */
export function nextLook(
  silent: readonly Silent[],
  watch: Watch,
  now: number,
): { suspectedAt: number; dueAt: number } | undefined {
  if (silent.length === 0) return undefined;
  const since = isOnTime(watch, now) ? watch.suspectedAt : undefined;
  // A suspicion of one who has called since says nothing about the others: theirs begins now.
  const stands = since !== undefined && silent.some(host => host.heard < since);
  return { suspectedAt: stands ? since : now, dueAt: now + LOOK_AGAIN };
}

const isOnTime = (watch: Watch, now: number): boolean => now - watch.dueAt <= LATE;

/** Ids of the hosts whose machines run. */
export const runningHosts = (machines: readonly Machine[]): ReadonlySet<string> =>
  new Set(machines.filter(machine => machine.state === "running").map(machine => machine.hostId));
