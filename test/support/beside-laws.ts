/** What holds of commands beside jobs, whatever waits and whatever runs. */
import type { Slot } from "@muster/core/cluster/slots.ts";
import { place, type Round } from "@muster/core/job/place.ts";
import type { Queued } from "@muster/core/job/queue.ts";
import * as Keys from "@muster/core/keys.ts";
import * as fc from "fast-check";
import { expect } from "vitest";
import { type Case, cases } from "./place-cases.ts";

export interface Mixed {
  /** The same queue and hosts without what runs or waits beside them. */
  readonly plain: Case;
  readonly mixed: Case;
}

const keyOf = ({ priority, jobId, ranks }: Queued): string =>
  Keys.queued("w", "clu", ranks === undefined ? priority : "first", jobId).sk;

const commands = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 4,
});

export const mixtures: fc.Arbitrary<Mixed> = fc
  .record({ plain: cases, waiting: commands, running: commands })
  .map(({ plain, waiting, running }) => {
    const entries = waiting.map(
      (ranks, age): Queued => ({
        jobId: `job_exec${age}`,
        nodes: ranks.length,
        priority: 500,
        needs: [{}],
        ranks: ranks.toSorted((a, b) => a - b),
      }),
    );
    const slots = plain.slots.map((slot): Slot => {
      const here = running.flatMap((ranks, index) => (ranks.includes(slot.rank) ? [`job_beside${index}`] : []));
      const beside = here.map(jobId => ({ jobId, fence: 1, beside: true as const }));
      return { ...slot, runs: [...beside, ...slot.runs] };
    });
    const queue = [...entries, ...plain.queue].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return { plain, mixed: { queue, slots } };
  });

const isCommand = (jobId: string): boolean => jobId.startsWith("job_exec");

const jobsOf = ({ placements, impossible }: Round) => ({
  placements: placements
    .filter(({ jobId }) => !isCommand(jobId))
    .map(({ parts, ...one }) => ({ ...one, parts: [...parts] })),
  impossible: impossible.map(({ jobId }) => jobId).filter(jobId => !isCommand(jobId)),
});

export const laws: Readonly<Record<string, (of: Mixed, grows: boolean) => void>> = {
  "commands stand before all jobs": ({ mixed: { queue } }) => {
    const first = queue.findIndex(({ ranks }) => ranks === undefined);
    expect(queue.slice(first < 0 ? queue.length : first).filter(({ ranks }) => ranks !== undefined)).toEqual([]);
  },
  "jobs begin where and when they would without any": ({ plain, mixed }, grows) => {
    const alone = place(plain.queue, plain.slots, { grows });
    expect(jobsOf(place(mixed.queue, mixed.slots, { grows }))).toEqual(jobsOf(alone));
  },
  "commands begin on exactly their hosts, unless one of them is lost, and take nothing": ({ mixed }, grows) => {
    const { placements, impossible } = place(mixed.queue, mixed.slots, { grows });
    for (const { jobId, ranks = [] } of mixed.queue.filter(one => one.ranks !== undefined)) {
      const hosts = ranks.map(rank => mixed.slots.find(slot => slot.rank === rank));
      const found = placements.find(one => one.jobId === jobId);
      const isThere = hosts.every(host => host !== undefined);
      expect(impossible.some(one => one.jobId === jobId)).toBe(!isThere && !grows);
      expect(found !== undefined).toBe(hosts.every(host => host?.up));
      if (found) expect([...found.parts]).toEqual(ranks.map(rank => [rank, { beside: true }]));
    }
  },
};
