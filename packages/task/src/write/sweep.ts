/** Where the values of many runs come from, as a task file says it. */
import type { Parameter, Sweep } from "@muster/core/task/sweep.ts";
import { coreName, kindNames } from "../sweep.ts";
import type { Value } from "./nodes.ts";

export const sweepOf = ({ type, params, seed }: Sweep): Value => ({
  type,
  seed: seed === 0 ? undefined : seed,
  params: Object.fromEntries(Object.entries(params).map(([name, one]) => [name, parameterOf(one)])),
});

/** Lists as they are; of the others what they are called, and their two numbers. */
function parameterOf(parameter: Parameter): Value {
  if ("values" in parameter) return parameter.values.map(numeral);
  return Object.fromEntries(
    kindNames.flatMap(kind => {
      const pair = (parameter as Readonly<Record<string, readonly number[]>>)[coreName(kind)];
      return pair === undefined ? [] : [[kind, pair.map(numeral)]];
    }),
  );
}

/** A number with an exponent is text to some loaders, and so it is written as text: a variable is the same either way. */
const numeral = (value: string | number | boolean): Value =>
  typeof value === "number" && String(value).includes("e") ? String(value) : value;
