/** Many runs of one task: how many, how many at a time, and with which parameters each. */
import * as z from "zod";
import { EnvName } from "./env-name.ts";

/** The most runs that one array may have. */
export const MOST_RUNS = 100_000;

const Value = z.union([z.string().max(1024), z.number(), z.boolean()]);

/** How one parameter's values are found: those of a list, or drawn from a distribution. */
export const Parameter = z.union([
  z.strictObject({ values: z.array(Value).min(1).max(1000) }),
  z.strictObject({ uniform: z.tuple([z.number(), z.number()]) }),
  z.strictObject({ logUniform: z.tuple([z.number().positive(), z.number().positive()]) }),
  z.strictObject({ normal: z.tuple([z.number(), z.number().positive()]) }),
  z.strictObject({ logNormal: z.tuple([z.number(), z.number().positive()]) }),
  z.strictObject({ integer: z.tuple([z.number().int(), z.number().int()]) }),
]);
export type Parameter = z.infer<typeof Parameter>;

/** Each run sees its values as variables of the parameters' names. */
export const Sweep = z.strictObject({
  /** `grid`: every combination of the lists, in order; `random`: as many draws as there are runs. */
  type: z.enum(["grid", "random"]),
  params: z.record(EnvName, Parameter).refine(params => Object.keys(params).length <= 50, "at most 50 parameters"),
  /** What the draws begin with: the same seed gives the same values. */
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31)
    .default(0),
});
export type Sweep = z.infer<typeof Sweep>;

export const Runs = z.strictObject({
  /** Absent with a grid: every combination. */
  count: z.number().int().min(1).max(MOST_RUNS).optional(),
  /** How many at a time; absent: as many as there is room for. */
  concurrent: z.number().int().min(1).max(MOST_RUNS).optional(),
  sweep: Sweep.optional(),
});
export type Runs = z.infer<typeof Runs>;
