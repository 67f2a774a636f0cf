/**
 * What the function `admin` answers: who may do what and who did what, what may be had and spent, and what has gone wrong;
 * and of what is set up now and then whatever needs the table alone.
 */
import { audit } from "../routes/audit.ts";
import { budgets } from "../routes/budgets.ts";
import { deadLetters } from "../routes/deadletters.ts";
import { hooks } from "../routes/hooks.ts";
import { images } from "../routes/images.ts";
import { issuers } from "../routes/issuers.ts";
import { quotas } from "../routes/quotas.ts";
import { offers } from "../routes/rest.ts";
import { sweeps } from "../routes/sweeps.ts";
import { targets } from "../routes/targets.ts";
import { tokens } from "../routes/tokens.ts";
import { webhooks } from "../routes/webhooks.ts";
import { workspaces } from "../routes/workspaces.ts";

export const admin = {
  ...tokens,
  ...issuers,
  ...budgets,
  ...quotas,
  ...deadLetters,
  ...sweeps,
  ...workspaces,
  ...audit,
  ...targets,
  ...images,
  ...hooks,
  ...webhooks,
  ...offers,
} as const;
