/** What holds of the scheduler, whatever waits and whatever runs. */
import type { Slot } from "@muster/core/cluster/slots.ts";
import { type Placement, place, type Round } from "@muster/core/job/place.ts";
import type { Queued } from "@muster/core/job/queue.ts";
import { expect } from "vitest";
import {
  after,
  asksOf,
  type Case,
  couldStart,
  fitsNow,
  gpusTaken,
  isUsable,
  startsOn,
  taken,
  within,
  without,
} from "./place-cases.ts";

type Law = (of: Case, round: Round) => void;

const entryOf = (queue: readonly Queued[], jobId: string): Queued => queue.find(one => one.jobId === jobId) as Queued;
const ids = (all: readonly { readonly jobId: string }[]): string[] => all.map(one => one.jobId);
const plain = ({ placements, impossible }: Round) => ({
  placements: placements.map(({ parts, ...one }) => ({ ...one, parts: [...parts] })),
  impossible: ids(impossible),
});
const possible = ({ queue, slots }: Case): Queued[] => queue.filter(one => couldStart(slots, one));

/** Each placement, with the hosts as it found them. */
function* steps({ slots }: Case, { placements }: Round): Generator<{ placement: Placement; before: Slot[] }> {
  for (const [index, placement] of placements.entries())
    yield { placement, before: after(slots, placements.slice(0, index)) };
}

export const laws: Readonly<Record<string, Law>> = {
  "no GPU is given twice, and none that is not there": ({ slots }, { placements }) => {
    for (const slot of after(slots, placements)) {
      const given = gpusTaken(slot);
      expect(new Set(given).size).toBe(given.length);
      expect(given.every(index => Number.isInteger(index) && index >= 0 && index < slot.gpus)).toBe(true);
    }
  },
  "no more CPUs are given than there are": ({ slots }, { placements }) => {
    for (const slot of after(slots, placements)) expect(taken(slot, "cpus")).toBeLessThanOrEqual(slot.cpus);
  },
  "no more memory is given than there is": ({ slots }, { placements }) => {
    for (const slot of after(slots, placements)) expect(taken(slot, "memory")).toBeLessThanOrEqual(slot.memory);
  },
  "every node gets what one of the alternatives asks for, and all nodes the same": (
    { queue, slots },
    { placements },
  ) => {
    for (const { jobId, parts } of placements) {
      const met = asksOf(entryOf(queue, jobId)).some(ask =>
        [...parts].every(([rank, part]) => {
          if (ask === undefined) return part.whole === true;
          const isKind = ask.gpus === undefined || ask.gpu === undefined || slots[rank]?.gpu === ask.gpu;
          const isAll =
            (part.gpus?.length ?? 0) === (ask.gpus ?? 0) && part.cpus === ask.cpus && part.memory === ask.memory;
          return isKind && isAll && part.whole === undefined;
        }),
      );
      expect(met).toBe(true);
    }
  },
  "who has a whole host is alone there": ({ slots }, { placements }) => {
    for (const slot of after(slots, placements))
      expect(slot.runs.some(run => run.whole) && slot.runs.length > 1).toBe(false);
  },
  "no host runs more jobs than it may": ({ slots }, { placements }) => {
    for (const slot of after(slots, placements)) expect(slot.runs.length).toBeLessThanOrEqual(slot.most ?? 64);
  },
  "lost hosts, and those that take no jobs, get none": ({ slots }, { placements }) => {
    const used = new Set(placements.flatMap(({ ranks }) => ranks));
    expect(slots.filter(slot => used.has(slot.rank) && !isUsable(slot))).toEqual([]);
  },
  "a job is on hosts of the group that it asks for, and of no other": ({ queue, slots }, { placements }) => {
    for (const { jobId, ranks } of placements) {
      const { group } = entryOf(queue, jobId);
      const groups = ranks.map(rank => slots[rank]?.group ?? "main");
      if (group !== undefined)
        expect(groups.map(one => one.toLowerCase())).toEqual(ranks.map(() => group.toLowerCase()));
    }
  },
  "a gang starts on as many hosts as it has nodes, each another": ({ queue }, { placements }) => {
    for (const { jobId, ranks } of placements) {
      expect(ranks).toHaveLength(entryOf(queue, jobId).nodes);
      expect(new Set(ranks).size).toBe(ranks.length);
    }
  },
  "a job's ranks are in the order of its hosts', and each has its part": (_, { placements }) => {
    for (const { ranks, parts } of placements) {
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      expect([...parts.keys()]).toEqual(ranks);
    }
  },
  "nothing overtakes: what starts is the first of what can": (of, { placements }) => {
    expect(ids(placements)).toEqual(ids(possible(of)).slice(0, placements.length));
  },
  "higher priority goes first, and within one the older": ({ queue }, { placements }) => {
    const started = placements.map(({ jobId }) => entryOf(queue, jobId));
    for (const [index, one] of started.slice(1).entries()) {
      const before = started[index] as Queued;
      expect(before.priority >= one.priority).toBe(true);
      if (before.priority === one.priority) expect(before.jobId < one.jobId).toBe(true);
    }
  },
  "nothing is idle that could work: the first that stays behind does not fit now": (of, { placements }) => {
    const next = possible(of)[placements.length];
    if (next) expect(startsOn(after(of.slots, placements), next)).toBe(false);
  },
  "what is called impossible is, and nothing before the first that waits is passed over": (
    of,
    { placements, impossible },
  ) => {
    const waiting = possible(of)[placements.length];
    const seen = waiting ? of.queue.slice(0, of.queue.indexOf(waiting)) : of.queue;
    expect(ids(impossible)).toEqual(ids(seen.filter(one => !couldStart(of.slots, one))));
  },
  "nothing is impossible while the cluster grows, and what does not fit waits": (of, { placements }) => {
    const growing = place(of.queue, of.slots, { grows: true });
    const first = of.queue.findIndex(one => !couldStart(of.slots, one));
    const until = first < 0 ? of.queue : of.queue.slice(0, first);
    expect(growing.impossible).toEqual([]);
    expect(ids(growing.placements)).toEqual(ids(placements).filter(id => until.some(one => one.jobId === id)));
  },
  "the same question has the same answer, and changes nothing": (of, round) => {
    const before = structuredClone(of);
    expect(plain(place(of.queue, of.slots))).toEqual(plain(round));
    expect(of).toEqual(before);
  },
  "when all has begun that could, nothing more begins": ({ queue, slots }, { placements, impossible }) => {
    const done = new Set([...ids(placements), ...ids(impossible)]);
    const left = queue.filter(one => !done.has(one.jobId));
    expect(plain(place(left, after(slots, placements)))).toEqual({ placements: [], impossible: [] });
  },
  "one after the other they come where they come together": (of, round) => {
    const one = ({ queue, slots }: Case): Placement[] => {
      const { placements, impossible } = place(queue, slots);
      const [first] = placements;
      if (first === undefined) return [];
      const over = new Set(ids(impossible)).add(first.jobId);
      const rest = { queue: queue.filter(({ jobId }) => !over.has(jobId)), slots: after(slots, [first]) };
      return [first, ...one(rest)];
    };
    expect(plain({ ...round, placements: one(of) }).placements).toEqual(plain(round).placements);
  },
  "the order in which hosts are listed means nothing": ({ queue, slots }, round) => {
    expect(plain(place(queue, slots.toReversed()))).toEqual(plain(round));
  },
  "a head that starts also starts when there is more": ({ queue, slots }, { placements }) => {
    const [head] = queue;
    if (head === undefined || placements[0]?.jobId !== head.jobId) return;
    const larger = slots.map(slot => ({ ...slot, cpus: slot.cpus + 1, memory: slot.memory + 1 }));
    const one: Slot = { rank: slots.length, address: "", cpus: 4, memory: 16, gpus: 1, gpu: "T4", up: true, runs: [] };
    for (const more of [larger, [...slots, one], [one, ...slots]])
      expect(place(queue, more).placements[0]?.jobId).toBe(head.jobId);
  },
  "of several alternatives the first is taken that fits": (of, round) => {
    for (const { placement, before } of steps(of, round)) {
      const entry = entryOf(of.queue, placement.jobId);
      const asks = asksOf(entry);
      const there = within(before, entry);
      const nodes = placement.ranks.length;
      const first = asks.find(ask => there.filter(slot => fitsNow(slot, ask)).length >= nodes);
      const [part] = placement.parts.values();
      expect([part?.whole, part?.gpus?.length, part?.cpus, part?.memory]).toEqual([
        first === undefined || undefined,
        first?.gpus,
        first?.cpus,
        first?.memory,
      ]);
    }
  },
  "an empty host is begun only where those in use do not do": (of, round) => {
    for (const { placement, before } of steps(of, round)) {
      const opened = placement.ranks.filter(rank => before[rank]?.runs.length === 0);
      const [part] = placement.parts.values();
      if (opened.length === 0 || part?.whole) continue;
      const entry = entryOf(of.queue, placement.jobId);
      const asks = asksOf(entry);
      const there = within(before, entry);
      const ask = asks.find(one => there.filter(slot => fitsNow(slot, one)).length >= placement.ranks.length);
      const passed = there.filter(
        slot => slot.runs.length > 0 && fitsNow(slot, ask) && !placement.ranks.includes(slot.rank),
      );
      expect(passed).toEqual([]);
    }
  },
  "the host is filled that has the fewest GPUs left": (of, round) => {
    const left = (slot: Slot | undefined) => (slot ? slot.gpus - gpusTaken(slot).length : 0);
    for (const { placement, before } of steps(of, round)) {
      const [part] = placement.parts.values();
      if (placement.ranks.length > 1 || part?.whole) continue;
      const entry = entryOf(of.queue, placement.jobId);
      const asks = asksOf(entry);
      const there = within(before, entry);
      const ask = asks.find(one => there.some(slot => fitsNow(slot, one)));
      const chosen = before[placement.ranks[0] ?? -1];
      const alike = there.filter(
        slot => fitsNow(slot, ask) && (slot.runs.length === 0) === (chosen?.runs.length === 0),
      );
      expect(left(chosen)).toBe(Math.min(...alike.map(left)));
    }
  },
  "hosts are looked at no more often than there are kinds of wishes and jobs that start": (
    { queue, slots },
    { placements, looks },
  ) => {
    const wishes = new Set(queue.flatMap(one => asksOf(one).map(ask => JSON.stringify([ask, one.group]))));
    const most = Math.max(1, ...queue.map(one => asksOf(one).length));
    expect(looks).toBeLessThanOrEqual(slots.length * (wishes.size + most * (placements.length + 1)));
  },
  "nothing starves: each begins in the end, though younger ones keep coming": ({ queue, slots }) => {
    const open = slots.map(slot => ({ ...slot, up: true }));
    let hosts: Slot[] = open;
    let waiting = queue.filter(one => couldStart(open, one));
    const wanted = new Set(ids(waiting));
    const bound = 3 * (waiting.length + open.flatMap(slot => slot.runs).length) + 3;
    for (let turn = 0; turn < bound; turn++) {
      const { placements, impossible } = place(waiting, hosts);
      expect(impossible).toEqual([]);
      hosts = after(hosts, placements);
      const begun = new Set(ids(placements));
      waiting = waiting.filter(one => !begun.has(one.jobId));
      for (const id of begun) wanted.delete(id);
      if (wanted.size === 0) return;
      // The oldest ends, and one comes that is small and young.
      const [ends] = hosts.flatMap(slot => slot.runs).toSorted((a, b) => a.fence - b.fence);
      if (ends) hosts = without(hosts, ends.jobId);
      waiting = [...waiting, { jobId: `job_young${turn}`, nodes: 1, priority: 0, needs: [{ cpus: 1 }] }];
    }
    expect([...wanted]).toEqual([]);
  },
};
