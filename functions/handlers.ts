/** All handlers of the route table: by the function that serves them, and for whoever serves the table whole. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge, HostEdge } from "@muster/core/ports/world.ts";
import { checkpoint } from "./agent/checkpoint.ts";
import { enroll } from "./agent/enroll.ts";
import { file } from "./agent/file.ts";
import { poll } from "./agent/poll.ts";
import { register } from "./agent/register.ts";
import { report } from "./agent/report.ts";
import { artifacts } from "./api/artifacts.ts";
import { budgets } from "./api/budgets.ts";
import { clusters } from "./api/clusters.ts";
import { images } from "./api/images.ts";
import { jobGroups } from "./api/jobgroups.ts";
import { jobs } from "./api/jobs.ts";
import { launches } from "./api/launches.ts";
import { pools } from "./api/pools.ts";
import { providers } from "./api/providers.ts";
import { schedules } from "./api/schedules.ts";
import { secrets } from "./api/secrets.ts";
import { targets } from "./api/targets.ts";
import { tokens } from "./api/tokens.ts";
import { uploads } from "./api/uploads.ts";

/** For people and programs. */
export const api = (world: Edge) =>
  ({
    ...artifacts(world),
    ...clusters(world),
    ...jobs(world),
    ...launches(world),
    ...providers(world),
    ...tokens(world),
    ...uploads(world),
  }) satisfies Runs;

/** For people who set something up. */
export const config = (world: Edge) =>
  ({
    ...budgets(world),
    ...images(world),
    ...jobGroups(world),
    ...pools(world),
    ...schedules(world),
    ...secrets(world),
    ...targets(world),
  }) satisfies Runs;

/** For hosts. */
export const agent = (world: HostEdge) =>
  ({
    ...checkpoint(world),
    ...enroll(world),
    ...file(world),
    ...poll(world),
    ...register(world),
    ...report(world),
  }) satisfies Runs;

export const handlers = (world: Edge & HostEdge): Required<Runs> => ({
  ...api(world),
  ...config(world),
  ...agent(world),
});
