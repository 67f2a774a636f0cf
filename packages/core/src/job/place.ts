/** Which queued jobs start now, and where: a pure decision over the queue and the slots. */
import { takesJobs } from "../cluster/group.ts";
import type { Need } from "../cluster/need.ts";
import { byLeast, type Capacity, emptyRoom, fits, less, partOf, type Room, roomOf } from "../cluster/room.ts";
import { MOST_RUNS, type Parts, type Slot } from "../cluster/slots.ts";
import type { Queued } from "./queue.ts";

export type Entry = Pick<Queued, "jobId" | "nodes" | "needs">;

export interface Placement {
  readonly jobId: string;
  /** Ranks of the cluster's hosts, in the order of the job's own ranks. */
  readonly ranks: readonly number[];
  /** What it gets of each of them. */
  readonly parts: Parts;
}

export interface Round {
  /** In the order of the queue. */
  readonly placements: readonly Placement[];
  /** Entries that the cluster, as it is, could never run. */
  readonly impossible: readonly Entry[];
  /** How often a host was looked at. */
  readonly looks: number;
}

/**
 * Strictly in order of the queue, as it is given: the first entry that does not fit now ends the round. Nothing overtakes it,
 * so that a wide job is never starved by narrow ones. What could never fit on these hosts, those that are lost included,
 * holds up nobody; unless the cluster `grows`: then it waits like any other.
 */
export function place(queue: readonly Entry[], slots: readonly Slot[], { grows = false } = {}): Round {
  const state = new State(slots);
  const impossible: Entry[] = [];
  const placements: Placement[] = [];
  for (const entry of queue) {
    const isPossible = state.isPossible(entry);
    if (!isPossible && grows) break;
    const placement = isPossible ? state.place(entry) : undefined;
    if (placement) placements.push(placement);
    else if (isPossible) break;
    else impossible.push(entry);
  }
  return { placements, impossible, looks: state.looks };
}

/** Whether the job fits, could it have these hosts to itself. */
export const couldFit = (entry: Pick<Entry, "nodes" | "needs">, hosts: readonly Capacity[]): boolean =>
  alternativesOf(entry).some(need => hosts.filter(host => fits(emptyRoom(host), need)).length >= entry.nodes);

/** What a job may ask for, one alternative after the other; the whole host is one, too. */
export const alternativesOf = ({ needs }: Pick<Entry, "needs">): readonly (Need | undefined)[] => needs ?? [undefined];

interface Host {
  readonly rank: number;
  readonly room: Room;
}

/** The hosts as the round fills them. */
class State {
  looks = 0;
  readonly #whole: readonly Room[];
  readonly #hosts: Map<number, Host>;
  /** How many hosts are large enough for a need, by that need. */
  readonly #large = new Map<string, number>();
  #runs: number;

  constructor(slots: readonly Slot[]) {
    const usable = slots.filter(takesJobs);
    this.#whole = usable.map(emptyRoom);
    this.#hosts = new Map(
      usable.filter(slot => slot.up).map(slot => [slot.rank, { rank: slot.rank, room: roomOf(slot) }]),
    );
    this.#runs = slots.reduce((sum, slot) => sum + slot.runs.length, 0);
  }

  isPossible(entry: Entry): boolean {
    return alternativesOf(entry).some(need => this.#largeEnough(need) >= entry.nodes);
  }

  #largeEnough(need: Need | undefined): number {
    const key = JSON.stringify(need) ?? "";
    const known = this.#large.get(key);
    if (known !== undefined) return known;
    this.looks += this.#whole.length;
    const count = this.#whole.filter(room => fits(room, need)).length;
    this.#large.set(key, count);
    return count;
  }

  /** The first alternative under which all nodes find their places at once. */
  place({ jobId, nodes, needs }: Entry): Placement | undefined {
    if (this.#runs + nodes > MOST_RUNS) return undefined;
    for (const need of alternativesOf({ needs })) {
      const hosts = this.#best(need, nodes);
      if (hosts === undefined) continue;
      const parts = new Map(hosts.map(({ rank, room }) => [rank, partOf(room, need)]));
      for (const { rank, room } of hosts) this.#hosts.set(rank, { rank, room: less(room, parts.get(rank) ?? {}) });
      this.#runs += nodes;
      return { jobId, ranks: [...parts.keys()], parts };
    }
    return undefined;
  }

  /** The hosts for as many nodes, in the order of their ranks; undefined when they are too few. */
  #best(need: Need | undefined, nodes: number): Host[] | undefined {
    this.looks += this.#hosts.size;
    const found = [...this.#hosts.values()].filter(host => fits(host.room, need));
    if (found.length < nodes) return undefined;
    const byRank = (a: Host, b: Host) => a.rank - b.rank;
    const order = need === undefined ? byRank : (a: Host, b: Host) => byLeast(a.room, b.room) || byRank(a, b);
    return found.toSorted(order).slice(0, nodes).toSorted(byRank);
  }
}
