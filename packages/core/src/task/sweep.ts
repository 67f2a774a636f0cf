/** Many runs of one task: how many, how many at a time, and with which parameters each. */
import * as z from "zod";
import { EnvName } from "./env-name.ts";

/** The most runs that one array may have. */
export const MOST_RUNS = 100_000;

const Value = z.union([z.string().max(1024), z.number(), z.boolean()]);

const range = (bound: z.ZodNumber) =>
  z.tuple([bound, bound]).refine(([low, high]) => low <= high, "the first is the lower end, the second the higher");

/** How one parameter's values are found: those of a list, or drawn from a distribution. */
export const Parameter = z.union([
  z.strictObject({ values: z.array(Value).min(1).max(1000) }),
  z.strictObject({ uniform: range(z.number()) }),
  z.strictObject({ logUniform: range(z.number().positive()) }),
  /** Mean and deviation. */
  z.strictObject({ normal: z.tuple([z.number(), z.number().positive()]) }),
  /** Mean and deviation of the value's logarithm. */
  z.strictObject({ logNormal: z.tuple([z.number(), z.number().positive()]) }),
  /** Both ends are among them. */
  z.strictObject({ integer: range(z.number().int()) }),
]);
export type Parameter = z.infer<typeof Parameter>;

/** Each run sees its values as variables of the parameters' names. */
export const Sweep = z
  .strictObject({
    /** `grid`: every combination of the lists, in order; `random`: as many draws as there are runs. */
    type: z.enum(["grid", "random"]),
    params: z
      .record(EnvName, Parameter)
      .refine(params => Object.keys(params).length >= 1, "at least one parameter")
      .refine(params => Object.keys(params).length <= 50, "at most 50 parameters"),
    /** What the draws begin with: the same seed gives the same values. */
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31)
      .default(0),
  })
  .superRefine(({ type, params }, context) => {
    const message = "a grid tries every value of a list: give its values, or say type: random";
    for (const [name, parameter] of Object.entries(params))
      if (type === "grid" && !("values" in parameter))
        context.addIssue({ code: "custom", path: ["params", name], message });
  });
export type Sweep = z.infer<typeof Sweep>;

export const Runs = z
  .strictObject({
    /** Absent with a grid: every combination. */
    count: z.number().int().min(1).max(MOST_RUNS).optional(),
    /** How many at a time; absent: as many as there is room for. */
    concurrent: z.number().int().min(1).max(MOST_RUNS).optional(),
    sweep: Sweep.optional(),
  })
  .superRefine((runs, context) => {
    const amiss = problemOf(runs);
    if (amiss) context.addIssue({ code: "custom", ...amiss });
  });
export type Runs = z.infer<typeof Runs>;

/** How many combinations a grid has, counted and not built; undefined for draws, of which there is no end. */
export const combinationsOf = ({ type, params }: Sweep): number | undefined =>
  type === "random"
    ? undefined
    : Object.values(params).reduce((product, one) => product * ("values" in one ? one.values.length : 1), 1);

/** How many runs there are. */
export const countOf = ({ count, sweep }: Runs): number => count ?? (sweep && combinationsOf(sweep)) ?? 1;

function problemOf({ count, sweep }: Runs): { path: string[]; message: string } | undefined {
  const combinations = sweep && combinationsOf(sweep);
  if (count === undefined && combinations === undefined)
    return { path: ["count"], message: "say how many runs there are to be" };
  if (combinations === undefined) return undefined;
  if (count !== undefined && count > combinations)
    return {
      path: ["count"],
      message: `the sweep has ${combinations} combination${combinations === 1 ? "" : "s"}: no more runs than that`,
    };
  if (count === undefined && combinations > MOST_RUNS)
    return {
      path: ["sweep", "params"],
      message: `they make ${combinations} combinations; ${MOST_RUNS} at most, or say count`,
    };
  return undefined;
}
