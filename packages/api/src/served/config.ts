/** What the function `config` answers: what is set up now and then, and launches. Without it, the function `api` starts sooner. */

import { jobGroups } from "../routes/jobgroups.ts";
import { policies } from "../routes/policies.ts";
import { pools } from "../routes/pools.ts";
import { schedules } from "../routes/schedules.ts";
import { secrets } from "../routes/secrets.ts";

export const config = {
  ...jobGroups,
  ...secrets,
  ...pools,
  ...schedules,
  ...policies,
} as const;
