/** What there is on a host, what is left of it, and whether a node of a job finds its place there. */
import * as Names from "../accelerator/names.ts";
import type { Facts } from "../host/host.ts";
import type { Kind } from "./cluster.ts";
import type { Need } from "./need.ts";
import { MOST_PER_HOST, type Run, type Slot } from "./slots.ts";

/** What a host has. Memory in GiB. */
export type Capacity = Pick<Slot, "cpus" | "memory" | "gpus" | "gpu" | "most">;

const GIB = 1024 ** 3;

/**
 * By its offer, where it has one: what was paid for counts, of memory also what the system keeps for itself. Of GPUs the
 * larger of what the offer and the host itself say: one that shows fewer is found out when a job begins there.
 */
export function capacityOf(kind: Kind | undefined, facts?: Facts, most?: number): Capacity {
  const offered = Object.entries(kind?.accelerators ?? {}).filter(([, count]) => count > 0);
  const shown = facts?.gpus ?? [];
  const names = new Set(
    offered.length > 0 ? offered.map(([name]) => Names.canonical(name)) : shown.map(Names.canonical),
  );
  const [gpu] = names;
  const count = Math.ceil(offered.reduce((sum, [, one]) => sum + one, 0));
  return {
    cpus: kind?.cpus ?? facts?.cpus ?? 0,
    memory: kind?.memory ?? (facts?.memory ?? 0) / GIB,
    gpus: Math.max(count, shown.length),
    ...(names.size === 1 && gpu !== undefined && { gpu }),
    ...(most !== undefined && { most }),
  };
}

/** What is left of a host. */
export interface Room {
  readonly gpu?: string | undefined;
  /** Numbers of the GPUs that nobody has. */
  readonly gpus: readonly number[];
  readonly cpus: number;
  readonly memory: number;
  /** Jobs that it still takes. */
  readonly jobs: number;
  /** Whether nothing runs there. */
  readonly empty: boolean;
  /** Whether one job has all of it. */
  readonly whole: boolean;
}

export const emptyRoom = ({ gpus, gpu, cpus, memory, most = MOST_PER_HOST }: Capacity): Room => ({
  gpu,
  gpus: Array.from({ length: gpus }, (_, index) => index),
  cpus,
  memory,
  jobs: Math.min(most, MOST_PER_HOST),
  empty: true,
  whole: false,
});

export const roomOf = (slot: Slot): Room => slot.runs.filter(run => !run.beside).reduce(less, emptyRoom(slot));

/** The host with one job more. */
export function less(room: Room, run: Omit<Run, "jobId" | "fence">): Room {
  const { gpus = [], cpus = 0, memory = 0, whole = false } = run;
  return {
    ...room,
    gpus: gpus.length === 0 ? room.gpus : room.gpus.filter(index => !gpus.includes(index)),
    cpus: room.cpus - cpus,
    memory: room.memory - memory,
    jobs: room.jobs - 1,
    empty: false,
    whole: room.whole || whole,
  };
}

/** Sums of fractions are not exact. */
const SLACK = 1e-9;

/** Whether a node that needs this finds its place. @param need absent: the whole host */
export function fits(room: Room, need: Need | undefined): boolean {
  if (room.whole || room.jobs < 1) return false;
  if (need === undefined) return room.empty;
  const { gpus = 0, cpus = 0, memory = 0 } = need;
  if (gpus > room.gpus.length || cpus > room.cpus + SLACK || memory > room.memory + SLACK) return false;
  return gpus === 0 || hasGpu(room, need.gpu);
}

/** A host whose GPUs are of several kinds, or nobody knows of which, passes for any. */
export const hasGpu = ({ gpu }: { readonly gpu?: string | undefined }, asked: string | undefined): boolean =>
  asked === undefined || gpu === undefined || asked === gpu || Names.isSame(asked, gpu);

/** What the node gets of the host. */
export function partOf(room: Room, need: Need | undefined): Omit<Run, "jobId" | "fence"> {
  if (need === undefined) return { whole: true };
  const { gpus = 0, cpus, memory } = need;
  return {
    ...(gpus > 0 && { gpus: room.gpus.slice(0, gpus) }),
    ...(cpus !== undefined && { cpus }),
    ...(memory !== undefined && { memory }),
  };
}

/** The order in which hosts are filled: those in use first, then those with the least left, so that whole ones stay free. */
export const byLeast = (a: Room, b: Room): number =>
  Number(a.empty) - Number(b.empty) || a.gpus.length - b.gpus.length || a.cpus - b.cpus || a.memory - b.memory;
