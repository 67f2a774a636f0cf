/** Queues and hosts for the scheduler's laws; and what there is and what is taken, counted apart from the code that is tested. */
import type { Need } from "@muster/core/cluster/need.ts";
import type { Run, Slot } from "@muster/core/cluster/slots.ts";
import type { Placement } from "@muster/core/job/place.ts";
import type { Queued } from "@muster/core/job/queue.ts";
import * as Keys from "@muster/core/keys.ts";
import * as fc from "fast-check";

export interface Case {
  readonly queue: readonly Queued[];
  readonly slots: readonly Slot[];
}

const GPUS = ["A100", "T4"] as const;

const need: fc.Arbitrary<Need> = fc
  .record({
    gpus: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    gpu: fc.constantFrom("A100", "T4", undefined),
    cpus: fc.option(fc.constantFrom(0.5, 0.5, 1, 3, 9), { nil: undefined, freq: 1 }),
    memory: fc.option(fc.constantFrom(5, 7, 7, 20, 33), { nil: undefined, freq: 2 }),
  })
  .map(({ gpus, gpu, cpus, memory }) => ({
    ...(gpus !== undefined && { gpus, ...(gpu && { gpu }) }),
    ...(memory !== undefined && { memory }),
    ...(cpus !== undefined || (gpus ?? memory) === undefined ? { cpus: cpus ?? 1 } : {}),
  }));

const capacity = fc.record({
  cpus: fc.constantFrom(1, 4, 8),
  memory: fc.constantFrom(8, 32),
  gpus: fc.constantFrom(0, 0, 1, 4),
  gpu: fc.constantFrom(...GPUS),
  most: fc.constantFrom(undefined, undefined, undefined, 1, 2),
  up: fc.constantFrom(true, true, true, true, false),
  schedulable: fc.constantFrom(undefined, undefined, undefined, undefined, false),
  group: fc.constantFrom(undefined, undefined, "a", "a", "b"),
  asks: fc.array(fc.option(need, { nil: undefined, freq: 5 }), { maxLength: 3 }),
});

/** All different, or all of one kind but for what runs there. */
const kinds = fc.oneof(
  fc.array(capacity, { maxLength: 7 }),
  fc
    .tuple(capacity, fc.array(capacity, { minLength: 2, maxLength: 7 }))
    .map(([{ cpus, memory, gpus, gpu }, all]) => all.map(one => ({ ...one, cpus, memory, gpus, gpu }))),
);

const hosts = kinds.map(all =>
  all.map(({ asks, gpu, most, schedulable, group, ...one }, rank): Slot => {
    const empty: Slot = {
      ...one,
      rank,
      address: `10.0.0.${rank}`,
      ...(one.gpus > 0 && { gpu }),
      ...(most !== undefined && { most }),
      ...(schedulable === false && { schedulable }),
      ...(group !== undefined && { group }),
      runs: [],
    };
    return asks.reduce<Slot>((slot, ask, index) => withRun(slot, ask, `job_old${rank}_${index}`), empty);
  }),
);

/** The host with a job more, where there is room for it. */
function withRun(slot: Slot, ask: Need | undefined, jobId: string): Slot {
  if (!fitsNow({ ...slot, up: true, schedulable: undefined }, ask)) return slot;
  return { ...slot, runs: [...slot.runs, runOf(slot, ask, jobId)] };
}

function runOf(slot: Slot, ask: Need | undefined, jobId: string): Run {
  if (ask === undefined) return { jobId, fence: 1, whole: true };
  const { gpus = 0, cpus, memory } = ask;
  const taken = gpusTaken(slot);
  const free = Array.from({ length: slot.gpus }, (_, index) => index).filter(index => !taken.includes(index));
  // From the other end than the scheduler would.
  const mine = gpus > 0 ? { gpus: free.toReversed().slice(0, gpus) } : {};
  return { jobId, fence: 1, ...mine, ...(cpus !== undefined && { cpus }), ...(memory !== undefined && { memory }) };
}

const entry = fc.record({
  nodes: fc.constantFrom(1, 1, 1, 2, 3),
  priority: fc.constantFrom(400, 500, 500, 900),
  needs: fc.option(fc.array(need, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 4 }),
  group: fc.constantFrom(undefined, undefined, undefined, "a", "A", "b", "main", "none"),
});

/** In the order in which the table keeps it. */
const queues = fc.array(entry, { maxLength: 10 }).map(all =>
  all
    .map(
      ({ needs, group, ...one }, age): Queued => ({
        ...one,
        jobId: `job_${String(age).padStart(4, "0")}`,
        ...(needs && { needs }),
        ...(group !== undefined && { group }),
      }),
    )
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
);

const keyOf = ({ priority, jobId }: Queued): string => Keys.queued("w", "clu", priority, jobId).sk;

export const cases: fc.Arbitrary<Case> = fc.record({ queue: queues, slots: hosts });

export const gpusTaken = (slot: Slot): number[] => slot.runs.flatMap(run => run.gpus ?? []);
export const taken = (slot: Slot, what: "cpus" | "memory"): number =>
  slot.runs.reduce((sum, run) => sum + (run[what] ?? 0), 0);

export const isUsable = (slot: Slot): boolean => slot.up && slot.schedulable !== false;

/** Whether a node finds its place there as it is now. */
export function fitsNow(slot: Slot, ask: Need | undefined): boolean {
  if (!isUsable(slot) || slot.runs.some(run => run.whole) || slot.runs.length >= (slot.most ?? 64)) return false;
  if (ask === undefined) return slot.runs.length === 0;
  const hasKind = ask.gpus === undefined || ask.gpu === undefined || ask.gpu === slot.gpu;
  return (
    hasKind &&
    gpusTaken(slot).length + (ask.gpus ?? 0) <= slot.gpus &&
    taken(slot, "cpus") + (ask.cpus ?? 0) <= slot.cpus &&
    taken(slot, "memory") + (ask.memory ?? 0) <= slot.memory
  );
}

export const asksOf = ({ needs }: Pick<Queued, "needs">): readonly (Need | undefined)[] => needs ?? [undefined];

type Wish = Pick<Queued, "nodes" | "needs" | "group">;

/** Those on which a job may be that asks for this group, or for none. A host without one is of the cluster's only one. */
export const within = (slots: readonly Slot[], { group }: Pick<Queued, "group">): readonly Slot[] =>
  slots.filter(slot => [undefined, (slot.group ?? "main").toUpperCase()].includes(group?.toUpperCase()));

/** Whether the whole gang starts on these hosts as they are. */
export const startsOn = (slots: readonly Slot[], one: Wish): boolean =>
  asksOf(one).some(ask => within(slots, one).filter(slot => fitsNow(slot, ask)).length >= one.nodes);

/** Whether it ever could: nothing runs, and the lost are back. */
export const couldStart = (slots: readonly Slot[], one: Wish): boolean =>
  startsOn(
    slots.map(slot => ({ ...slot, up: true, runs: [] })),
    one,
  );

/** The hosts when these have begun. */
export const after = (slots: readonly Slot[], placements: readonly Placement[]): Slot[] =>
  placements.reduce(
    (all: Slot[], { jobId, parts }) =>
      all.map(slot => {
        const part = parts.get(slot.rank);
        return part === undefined ? slot : { ...slot, runs: [...slot.runs, { jobId, fence: 2, ...part }] };
      }),
    [...slots],
  );

/** The hosts when this job has ended. */
export const without = (slots: readonly Slot[], jobId: string): Slot[] =>
  slots.map(slot => ({ ...slot, runs: slot.runs.filter(run => run.jobId !== jobId) }));
