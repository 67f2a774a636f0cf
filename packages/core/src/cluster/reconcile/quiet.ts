/**
 * Since when the hosts of a cluster have been idle, by what they look for themselves. Times are the control plane's: of a
 * host, only how many seconds it counted.
 *
 * A host that says nothing is not idle, but for a while only: what never speaks would else keep its machines for ever.
 */
import { POLL_IDLE } from "../../agent/protocol.ts";
import { pulsesOf, type Stored } from "../../host/pulses.ts";
import type { ClusterRef } from "../../ports/provider.ts";
import type { Table } from "../../ports/table.ts";

/** A pulse that is older, in ms, says nothing of what is now: two polls, and what they take. */
const FRESH = 2 * POLL_IDLE + 30_000;

/** How long after a change of what they look for the hosts' words may be about what it was before, in ms. */
const LEARN = FRESH;

/** How long a host that says nothing of it counts as busy, in ms. */
export const UNKNOWN_FOR = 600_000;

export interface Quiet {
  /** Epoch ms: since when at the earliest. */
  readonly since: number;
  /** Whether it may have been busy meanwhile, for all that is known, and counts as that for now. */
  readonly isUnknown: boolean;
}

export interface Asked {
  /** Epoch ms since when the hosts have been told what to look for. */
  readonly from: number;
  /** For how long they are to be idle, in ms. */
  readonly time: number;
  readonly now: number;
}

/** The latest over all hosts. */
export async function quietSince(table: Table, ref: ClusterRef, nodes: number, asked: Asked): Promise<Quiet> {
  const pulses = await pulsesOf(table, ref);
  const each = Array.from({ length: nodes }, (_, rank) => quietOf(pulses.get(rank), asked));
  return { since: Math.max(...each.map(one => one.since)), isUnknown: each.some(one => one.isUnknown) };
}

/** What one host's last call says. Pure. */
export function quietOf(pulse: Stored | undefined, { from, time, now }: Asked): Quiet {
  const heard = pulse?.at ?? 0;
  const learned = heard >= from + LEARN;
  if (learned && pulse?.quiet && now - heard <= FRESH) {
    const since = Math.max(heard - pulse.quiet.seconds * 1000, from);
    // What it said ends with the call: it is to have said of all of the time that it was quiet.
    return { since, isUnknown: heard < since + time };
  }
  const since = learned ? lastWord(pulse, from) : from;
  return { since, isUnknown: now < since + UNKNOWN_FOR };
}

/** Since when it is not known what the host does. */
const lastWord = (pulse: Stored | undefined, from: number): number =>
  pulse?.quiet ? pulse.at : Math.max(pulse?.untoldSince ?? 0, from);
