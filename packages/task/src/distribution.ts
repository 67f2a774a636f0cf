/**
 * How a parameter's values are told in one line: a list, or a call such as `uniform(0, 1)`.
 *
 * With a `$` before it a call means what it means to XT, which hands it to hyperopt: bounds of `loguniform` are logarithms,
 * and `randint` has the first number that it does not reach (xtlib 0.0.177, hparams/hp_helper.py).
 */
import type { Parameter } from "@muster/core/task/sweep.ts";

type Value = string | number | boolean;
type Read = (args: readonly number[]) => Parameter | undefined;

const pair = (args: readonly number[]): [number, number] | undefined => {
  const [low, high] = args;
  return args.length === 2 && low !== undefined && high !== undefined ? [low, high] : undefined;
};
const both =
  (make: (of: [number, number]) => Parameter): Read =>
  args => {
    const found = pair(args);
    return found && make(found);
  };

/** As many values as are asked for, with equal steps, the ends included. */
const linspace: Read = ([low, high, count = 50, ...more]) => {
  if (low === undefined || high === undefined || more.length > 0) return undefined;
  if (!Number.isInteger(count) || count < 2 || count > 1000) return undefined;
  return { values: Array.from({ length: count }, (_, index) => low + ((high - low) * index) / (count - 1)) };
};

const calls = {
  uniform: both(uniform => ({ uniform })),
  loguniform: both(logUniform => ({ logUniform })),
  normal: both(normal => ({ normal })),
  lognormal: both(logNormal => ({ logNormal })),
  integer: both(integer => ({ integer })),
  linspace,
} satisfies Readonly<Record<string, Read>>;
const own = new Map(
  Object.entries({ ...calls, int: calls.integer, randint: calls.integer } satisfies Readonly<Record<string, Read>>),
);
const xt = new Map(
  Object.entries({
    ...calls,
    int: calls.integer,
    loguniform: both(([low, high]) => ({ logUniform: [Math.exp(low), Math.exp(high)] })),
    randint: ([below = 65_535, ...more]) => (more.length > 0 ? undefined : { integer: [0, below - 1] }),
  } satisfies Readonly<Record<string, Read>>),
);

const CALL = /^(\$?)([a-z_]+)\(([^()]*)\)$/i;

/** @returns what is wrong, as a sentence without its subject, where it is a call that cannot be read */
export function parameterOf(text: string): Parameter | { readonly problem: string } {
  const [, sign, word = "", list = ""] = CALL.exec(text.trim()) ?? [];
  if (sign === undefined) return { values: valuesOf(text) };
  const name = word.toLowerCase().replaceAll("_", "");
  if (name === "choice") return { values: valuesOf(list) };
  const read = (sign === "$" ? xt : own).get(name);
  if (read === undefined)
    return { problem: `is no way to draw values: there are ${[...Object.keys(calls), "choice"].join(", ")}` };
  const args = partsOf(list).map(Number);
  const found = args.some(Number.isNaN) ? undefined : read(args);
  return found ?? { problem: `is not as ${word} is written: ${word}(LOW, HIGH), or for normal (MEAN, DEVIATION)` };
}

/** Values that are set apart by commas, in brackets or not. */
const valuesOf = (text: string): Value[] => partsOf(text.trim().replace(/^\[(.*)\]$/s, "$1")).map(scalarOf);

const partsOf = (text: string): string[] => text.split(",").map(part => part.trim());

/** A number or a boolean where JSON would read one; what is quoted is text. */
export function scalarOf(text: string): Value {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2] ?? "";
  if (text === "true" || text === "false") return text === "true";
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** How runs are found where that is not said: every combination, unless something has to be drawn. */
export const typeOf = (params: Readonly<Record<string, Parameter>>): "grid" | "random" =>
  Object.values(params).every(one => "values" in one) ? "grid" : "random";
