/** The values that a run's parameters have: pure, so that each run finds its own, and nobody keeps them all. */
import type { Parameter, Sweep } from "../task/sweep.ts";

/** @returns by the parameters' names, as text; numbers as JSON writes them. */
export function valuesOf(sweep: Sweep, index: number): Record<string, string> {
  return sweep.type === "grid" ? combination(sweep, index) : draws(sweep, index);
}

/** The last parameter varies fastest, as in nested loops in the order in which they are written. */
function combination({ params }: Sweep, index: number): Record<string, string> {
  const found: [string, string][] = [];
  let left = index;
  for (const [name, parameter] of Object.entries(params).reverse()) {
    const values = "values" in parameter ? parameter.values : [];
    found.push([name, textOf(values[left % values.length])]);
    left = Math.floor(left / values.length);
  }
  return Object.fromEntries(found.reverse());
}

/** Each is drawn by itself: neither other runs nor other parameters change it. */
const draws = ({ params, seed }: Sweep, index: number): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, parameter]) => [name, textOf(draw(parameter, numbers(seed, index, name)))]),
  );

const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

function draw(parameter: Parameter, next: () => number): unknown {
  if ("values" in parameter) return parameter.values[Math.floor(next() * parameter.values.length)];
  if ("uniform" in parameter) return between(parameter.uniform, next());
  if ("logUniform" in parameter) return logarithmic(parameter.logUniform, next());
  if ("integer" in parameter) return whole(parameter.integer, next());
  if ("normal" in parameter) return finite(normal(parameter.normal, next));
  return finite(Math.exp(normal(parameter.logNormal, next)));
}

type Pair = readonly [number, number];

/** Not `low + (high - low) * u`: that difference may be more than any number. */
const between = ([low, high]: Pair, u: number): number => within([low, high], low * (1 - u) + high * u);

const logarithmic = ([low, high]: Pair, u: number): number =>
  within([low, high], Math.exp(between([Math.log(low), Math.log(high)], u)));

const whole = ([low, high]: Pair, u: number): number => within([low, high], low + Math.floor(u * (high - low + 1)));

/** Rounding may lead out of the range by a hair. */
const within = ([low, high]: Pair, value: number): number => Math.min(high, Math.max(low, value));

/** By Box and Muller (1958); the logarithm is of a number above 0. */
const normal = ([mean, deviation]: Pair, next: () => number): number =>
  mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/** JSON has no infinity. */
const finite = (value: number): number => within([-Number.MAX_VALUE, Number.MAX_VALUE], value);

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

/**
 * A source of numbers in [0, 1) that is this parameter's of this run alone. SplitMix64: Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators" (OOPSLA 2014), with the constants of Vigna's public domain splitmix64.c.
 */
function numbers(seed: number, index: number, name: string): () => number {
  let state = [BigInt(seed), BigInt(index), digest(name)].reduce(
    (mixed, part) => mix((mixed + part + GOLDEN) & MASK),
    0n,
  );
  return () => {
    state = (state + GOLDEN) & MASK;
    return Number(mix(state) >> 11n) * 2 ** -53;
  };
}

function mix(value: bigint): bigint {
  const first = ((value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  const second = ((first ^ (first >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return second ^ (second >> 31n);
}

/** FNV-1a, 64 bits. */
function digest(name: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const char of name) hash = ((hash ^ BigInt(char.charCodeAt(0))) * 0x100000001b3n) & MASK;
  return hash;
}
