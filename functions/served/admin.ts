/** Handlers of the function `admin`: for people who look after a workspace. */
import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { budgets } from "../api/budgets.ts";
import { deadLetters } from "../api/deadletters.ts";
import { quotas } from "../api/quotas.ts";
import { sweeps } from "../api/sweeps.ts";
import { tokens } from "../api/tokens.ts";

export const admin = (world: Facing) =>
  ({
    ...budgets(world),
    ...deadLetters(world),
    ...quotas(world),
    ...sweeps(world),
    ...tokens(world),
  }) satisfies Runs;
