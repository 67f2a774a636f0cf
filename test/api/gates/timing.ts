/**
 * Whether the time that a function takes tells one class of inputs from another: Welch's t between two classes that are
 * measured by turns in an order of chance, without the slowest tenth of all samples
 * (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time? 2017).
 */

/** Does it once, for an input of that class. */
export type Measured = (isSecond: boolean) => unknown;

const CROP = 0.9;
const WARM = 5_000;

/** Of synchronous functions. @returns Welch's t: far from zero where the classes differ. */
export function differenceOf(run: Measured, samples: number): number {
  const [classes, times] = begin(samples);
  for (let at = 0; at < WARM; at++) run(at % 2 === 0);
  for (let at = 0; at < samples; at++) {
    const isSecond = classes[at] === 1;
    const from = performance.now();
    run(isSecond);
    times[at] = performance.now() - from;
  }
  return welch(classes, times);
}

/** Of functions that answer later. */
export async function laterDifferenceOf(
  run: (isSecond: boolean) => Promise<unknown>,
  samples: number,
): Promise<number> {
  const [classes, times] = begin(samples);
  for (let at = 0; at < WARM; at++) await run(at % 2 === 0);
  for (let at = 0; at < samples; at++) {
    const isSecond = classes[at] === 1;
    const from = performance.now();
    await run(isSecond);
    times[at] = performance.now() - from;
  }
  return welch(classes, times);
}

const begin = (samples: number): [Uint8Array, Float64Array] => {
  const classes = new Uint8Array(samples);
  for (let at = 0; at < samples; at++) classes[at] = Math.random() < 0.5 ? 1 : 0;
  return [classes, new Float64Array(samples)];
};

interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function spreadOf(times: Float64Array, classes: Uint8Array, which: number, below: number): Spread {
  let [count, mean, squares] = [0, 0, 0];
  for (let at = 0; at < times.length; at++) {
    const time = times[at] ?? 0;
    if (classes[at] !== which || time > below) continue;
    count++;
    const delta = time - mean;
    mean += delta / count;
    squares += delta * (time - mean);
  }
  return { count, mean, variance: squares / (count - 1) };
}

export function welch(classes: Uint8Array, times: Float64Array): number {
  const below = times.toSorted()[Math.floor(times.length * CROP)] ?? Number.POSITIVE_INFINITY;
  const [one, other] = [spreadOf(times, classes, 0, below), spreadOf(times, classes, 1, below)];
  return (one.mean - other.mean) / Math.sqrt(one.variance / one.count + other.variance / other.count);
}
