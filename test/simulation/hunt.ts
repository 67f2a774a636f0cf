/** Many runs: what they found, summed up. Prints JSON lines when it is a worker. */
import type { Mix } from "./mixes.ts";
import type { Result, run as runOne } from "./run.ts";

export interface Job {
  readonly from: number;
  readonly count: number;
  readonly steps: number;
  /** Runs every `stride`th seed, so that workers share the seeds evenly. */
  readonly stride: number;
  /** Ends at the first violation. */
  readonly stopsAtFirst: boolean;
  /** What users do in each of them; absent: what the seed draws. */
  readonly mix?: Mix | undefined;
}

/** What many runs came to. */
export interface Sum {
  readonly runs: number;
  readonly events: number;
  /** Virtual minutes. */
  readonly minutes: number;
  readonly hits: Readonly<Record<string, number>>;
  readonly nouns: Readonly<Record<string, number>>;
  /** Of all traces. */
  readonly hash: string;
  readonly failures: readonly Pick<Result, "seed" | "violations">[];
}

export const NOTHING: Sum = { runs: 0, events: 0, minutes: 0, hits: {}, nouns: {}, hash: "", failures: [] };

export function add(sum: Sum, result: Result): Sum {
  const { seed, violations } = result;
  return {
    runs: sum.runs + 1,
    events: sum.events + result.events,
    minutes: sum.minutes + result.minutes,
    hits: addCounts(sum.hits, result.hits),
    nouns: addCounts(sum.nouns, result.nouns),
    hash: mix(sum.hash, `${seed}:${result.hash}`),
    failures: violations.length === 0 ? sum.failures : [...sum.failures, { seed, violations }],
  };
}

/** The sums of workers that went on side by side. */
export const merge = (a: Sum, b: Sum): Sum => ({
  runs: a.runs + b.runs,
  events: a.events + b.events,
  minutes: a.minutes + b.minutes,
  hits: addCounts(a.hits, b.hits),
  nouns: addCounts(a.nouns, b.nouns),
  hash: mix(a.hash, b.hash),
  failures: [...a.failures, ...b.failures].sort((x, y) => x.seed - y.seed),
});

export async function* hunt(job: Job, run: typeof runOne): AsyncGenerator<Sum> {
  let sum = NOTHING;
  for (let seed = job.from; seed < job.from + job.count; seed += job.stride) {
    sum = add(sum, await run(seed, job.steps, { mix: job.mix }));
    yield sum;
    if (job.stopsAtFirst && sum.failures.length > 0) return;
  }
}

function addCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map(name => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

/** FNV-1a; the order of seeds does not matter, so that the number of workers does not either. */
function mix(sum: string, text: string): string {
  let hash = 0x811c9dc5;
  for (const char of /^[0-9a-f]{8}$/.test(text) ? "" : text)
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  const value = /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : hash;
  const before = sum === "" ? 0 : Number.parseInt(sum, 16);
  return ((before + value) >>> 0).toString(16).padStart(8, "0");
}
