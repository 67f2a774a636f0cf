/** The function `lifecycle`: the state machines' tasks. */
import { step } from "../lifecycle/step.ts";
import { world } from "../world/fleet.ts";

export const handler = step(world);
