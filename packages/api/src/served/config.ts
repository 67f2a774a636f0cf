/** What the function `config` answers: what is set up now and then. Without it, the function `api` starts sooner. */

import { images } from "../routes/images.ts";
import { jobGroups } from "../routes/jobgroups.ts";
import { policies } from "../routes/policies.ts";
import { pools } from "../routes/pools.ts";
import { schedules } from "../routes/schedules.ts";
import { secrets } from "../routes/secrets.ts";
import { targets } from "../routes/targets.ts";

export const config = {
  ...jobGroups,
  ...secrets,
  ...targets,
  ...pools,
  ...schedules,
  ...images,
  ...policies,
} as const;
