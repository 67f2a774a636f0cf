/** Every await of every scenario with every fault: the points that there are, and what running them came to. */
import type { Violation } from "../sim.ts";
import { FIVE, type Five, type Point, runPoint } from "./point.ts";
import { scenarios } from "./scenarios.ts";

/** One worker's part: every `stride`th point, from the `offset`th. */
export interface Part {
  readonly scenarios: readonly string[];
  /** Interleavings of each scenario. */
  readonly seeds: number;
  /** 1: all points; 7: a sample of them, with every fault. */
  readonly every: number;
  readonly offset: number;
  readonly stride: number;
  readonly stopsAtFirst: boolean;
}

export interface Failure {
  readonly point: Point;
  /** The await that was hit; absent where nothing was to go wrong. */
  readonly label: string | undefined;
  readonly violations: readonly Violation[];
}

/** What a worker has done so far. */
export interface Done {
  /** Awaits by scenario and seed: every worker counts them all. */
  readonly awaits: Readonly<Record<string, number>>;
  /** Points that were run, and whose fault befell the await that it was meant for. */
  readonly hits: number;
  readonly runs: number;
  readonly failures: readonly Failure[];
}

export const NOTHING: Done = { awaits: {}, hits: 0, runs: 0, failures: [] };

/** The sums of workers that went on side by side. */
export const merge = (a: Done, b: Done): Done => ({
  awaits: { ...a.awaits, ...b.awaits },
  hits: a.hits + b.hits,
  runs: a.runs + b.runs,
  failures: [...a.failures, ...b.failures],
});

/** Points that there are to run, by what was counted. */
export const expected = ({ awaits }: Done): number =>
  FIVE.length * Object.values(awaits).reduce((sum, count) => sum + count, 0);

/** Every second scenario is begun with an engine that drives. */
const firstSeed = (scenario: string): number => (Object.keys(scenarios).indexOf(scenario) + 1) % 2;

export const seedsOf = (scenario: string, seeds: number): number[] =>
  Array.from({ length: seeds }, (_, index) => firstSeed(scenario) + index);

export async function* enumerate(part: Part): AsyncGenerator<Done> {
  let done = NOTHING;
  const runs = part.scenarios.flatMap(scenario => seedsOf(scenario, part.seeds).map(seed => ({ scenario, seed })));
  for (const run of runs)
    for await (const next of enumerateOne(part, run, done)) {
      yield next;
      done = next;
      if (part.stopsAtFirst && done.failures.length > 0) return;
    }
}

async function* enumerateOne(part: Part, { scenario, seed }: Point, before: Done): AsyncGenerator<Done> {
  const { awaits, violations } = await runPoint({ scenario, seed });
  let done: Done = { ...before, awaits: { ...before.awaits, [`${scenario} ${seed}`]: awaits.length } };
  // A script that fails with no fault at all says nothing about faults.
  if (violations.length > 0) done = failed(done, { point: { scenario, seed }, label: undefined, violations });
  yield done;
  if (violations.length > 0) return;
  const { offset, stride, every } = part;
  for (let index = offset * every; index < awaits.length * FIVE.length; index += stride * every) {
    const point: Point = {
      scenario,
      seed,
      at: 1 + Math.floor(index / FIVE.length),
      fault: FIVE[index % FIVE.length] as Five,
    };
    done = await add(done, point, awaits[(point.at ?? 0) - 1]);
    yield done;
  }
}

async function add(done: Done, point: Point, label: string | undefined): Promise<Done> {
  const ran = await runPoint(point);
  const isHit = ran.hit !== undefined && ran.hit === label;
  const next = { ...done, runs: done.runs + 1, hits: done.hits + (isHit ? 1 : 0) };
  return ran.violations.length === 0 ? next : failed(next, { point, label: ran.hit, violations: ran.violations });
}

const failed = (done: Done, failure: Failure): Done => ({ ...done, failures: [...done.failures, failure] });
