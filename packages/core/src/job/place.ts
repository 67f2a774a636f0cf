/** Which queued jobs start now, and where: a pure decision over the queue and the slots. */
import { isOf, takesJobs } from "../cluster/group.ts";
import type { Need } from "../cluster/need.ts";
import { byLeast, type Capacity, emptyRoom, fits, less, partOf, type Room, roomOf } from "../cluster/room.ts";
import {
  bytesOf,
  bytesOfParts,
  MOST_BESIDE,
  MOST_BYTES,
  MOST_PER_HOST,
  MOST_RUNS,
  type Parts,
  type Slot,
} from "../cluster/slots.ts";
import type { Queued } from "./queue.ts";

export type Entry = Pick<Queued, "jobId" | "nodes" | "needs" | "group" | "ranks">;

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
 * holds up nobody; unless the cluster `grows`: then it waits like any other. What takes nothing of its hosts is outside of
 * this order: it waits only for those of its own hosts that are lost, and nobody waits for it.
 */
export function place(queue: readonly Entry[], slots: readonly Slot[], { grows = false } = {}): Round {
  const state = new State(slots);
  const impossible: Entry[] = [];
  const placements: Placement[] = [];
  for (const entry of queue) {
    const decision = state.decide(entry);
    if (typeof decision === "object") placements.push(decision);
    else if (decision === "impossible" && !grows) impossible.push(entry);
    else if (entry.ranks === undefined) break;
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
  readonly group: string | undefined;
  readonly room: Room;
}

const isThere = ({ group }: Pick<Host, "group">, asked: string | undefined): boolean => isOf({ name: group }, asked);

/** The hosts as the round fills them. */
class State {
  looks = 0;
  readonly #whole: readonly Omit<Host, "rank">[];
  readonly #all: ReadonlyMap<number, Slot>;
  readonly #hosts: Map<number, Host>;
  /** How many hosts of a group are large enough for a need, by both. */
  readonly #large = new Map<string, number>();
  #runs: number;
  /** What the slots come to, as JSON. */
  #bytes: number;
  /** How much runs beside the jobs of each host. */
  readonly #beside: Map<number, number>;

  constructor(slots: readonly Slot[]) {
    const usable = slots.filter(takesJobs);
    this.#all = new Map(slots.map(slot => [slot.rank, slot]));
    this.#whole = usable.map(slot => ({ group: slot.group, room: emptyRoom(slot) }));
    this.#hosts = new Map(
      usable
        .filter(slot => slot.up)
        .map(slot => [slot.rank, { rank: slot.rank, group: slot.group, room: roomOf(slot) }]),
    );
    this.#beside = new Map(slots.map(slot => [slot.rank, slot.runs.filter(run => run.beside).length]));
    this.#bytes = bytesOf(slots);
    this.#runs = slots.reduce((sum, slot) => sum + slot.runs.length, 0) - this.#allBeside();
  }

  decide(entry: Entry): Placement | "impossible" | undefined {
    if (entry.ranks !== undefined) return this.#besides(entry, entry.ranks);
    return this.#isPossible(entry) ? this.#place(entry) : "impossible";
  }

  #isPossible(entry: Entry): boolean {
    return alternativesOf(entry).some(need => this.#largeEnough(need, entry.group) >= entry.nodes);
  }

  /** On exactly these hosts, whatever runs there, also where jobs do not; undefined while one of them is lost, or too much does. */
  #besides({ jobId }: Entry, ranks: readonly number[]): Placement | "impossible" | undefined {
    this.looks += ranks.length;
    const hosts = ranks.map(rank => this.#all.get(rank));
    if (hosts.some(host => host === undefined)) return "impossible";
    if (hosts.some(host => !host?.up) || this.#allBeside() + ranks.length > MOST_BESIDE) return undefined;
    const counts = ranks.map(rank => [rank, (this.#beside.get(rank) ?? 0) + 1] as const);
    if (counts.some(([, count]) => count > MOST_PER_HOST)) return undefined;
    const parts: Parts = new Map(ranks.map(rank => [rank, { beside: true }]));
    if (!this.#hasBytes(jobId, parts)) return undefined;
    for (const [rank, count] of counts) this.#beside.set(rank, count);
    return { jobId, ranks: [...ranks], parts };
  }

  /** Takes them, if the slots stay small enough for one item. */
  #hasBytes(jobId: string, parts: Parts): boolean {
    const bytes = this.#bytes + bytesOfParts(jobId, parts);
    if (bytes > MOST_BYTES) return false;
    this.#bytes = bytes;
    return true;
  }

  #allBeside(): number {
    return [...this.#beside.values()].reduce((sum, count) => sum + count, 0);
  }

  #largeEnough(need: Need | undefined, group: string | undefined): number {
    const key = JSON.stringify([need, group]);
    const known = this.#large.get(key);
    if (known !== undefined) return known;
    this.looks += this.#whole.length;
    const count = this.#whole.filter(host => isThere(host, group) && fits(host.room, need)).length;
    this.#large.set(key, count);
    return count;
  }

  /** The first alternative under which all nodes find their places at once. */
  #place({ jobId, nodes, needs, group }: Entry): Placement | undefined {
    if (this.#runs + nodes > MOST_RUNS) return undefined;
    for (const need of alternativesOf({ needs })) {
      const hosts = this.#best(need, nodes, group);
      if (hosts === undefined) continue;
      const parts: Parts = new Map(hosts.map(({ rank, room }) => [rank, partOf(room, need)]));
      if (!this.#hasBytes(jobId, parts)) return undefined;
      for (const { room, ...host } of hosts)
        this.#hosts.set(host.rank, { ...host, room: less(room, parts.get(host.rank) ?? {}) });
      this.#runs += nodes;
      return { jobId, ranks: [...parts.keys()], parts };
    }
    return undefined;
  }

  /** The hosts for as many nodes, in the order of their ranks; undefined when they are too few. */
  #best(need: Need | undefined, nodes: number, group: string | undefined): Host[] | undefined {
    this.looks += this.#hosts.size;
    const found = [...this.#hosts.values()].filter(host => isThere(host, group) && fits(host.room, need));
    if (found.length < nodes) return undefined;
    const byRank = (a: Host, b: Host) => a.rank - b.rank;
    const order = need === undefined ? byRank : (a: Host, b: Host) => byLeast(a.room, b.room) || byRank(a, b);
    return found.toSorted(order).slice(0, nodes).toSorted(byRank);
  }
}
