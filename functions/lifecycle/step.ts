/** The state machines' tasks: `{ step, workspace, clusterId }` in, what comes next out. */
import { STEPS } from "@muster/core/machine/definitions.ts";
import { step as run, type StepAnswer } from "@muster/core/machine/step.ts";
import type { World } from "@muster/core/ports/world.ts";
import * as z from "zod";

const Input = z.object({ step: z.enum(STEPS), workspace: z.string(), clusterId: z.string() });

export const step =
  (world: World) =>
  (input: unknown): Promise<StepAnswer> =>
    run(world, Input.parse(input));
