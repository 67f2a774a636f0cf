/** Handlers of the function `admin`: for people who look after a workspace. */
import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { audit } from "../api/audit.ts";
import { budgets } from "../api/budgets.ts";
import { deadLetters } from "../api/deadletters.ts";
import { hooks } from "../api/hooks.ts";
import { images } from "../api/images.ts";
import { issuers } from "../api/issuers.ts";
import { offers } from "../api/offers.ts";
import { quotas } from "../api/quotas.ts";
import { sweeps } from "../api/sweeps.ts";
import { targets } from "../api/targets.ts";
import { tokens } from "../api/tokens.ts";
import { webhooks } from "../api/webhooks.ts";
import { workspaces } from "../api/workspaces.ts";

export const admin = (world: Facing) =>
  ({
    ...audit(world),
    ...budgets(world),
    ...deadLetters(world),
    ...issuers(world),
    ...quotas(world),
    ...images(world),
    ...hooks(world),
    ...offers(world),
    ...sweeps(world),
    ...targets(world),
    ...tokens(world),
    ...webhooks(world),
    ...workspaces(world),
  }) satisfies Runs;
