/** All handlers of the route table, for whoever serves it whole. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { enroll } from "./agent/enroll.ts";
import { poll } from "./agent/poll.ts";
import { report } from "./agent/report.ts";
import { clusters } from "./api/clusters.ts";
import { jobs } from "./api/jobs.ts";
import { launches } from "./api/launches.ts";
import { providers } from "./api/providers.ts";
import { uploads } from "./api/uploads.ts";

export const handlers = (world: Edge): Required<Runs> => ({
  ...clusters(world),
  ...jobs(world),
  ...launches(world),
  ...providers(world),
  ...uploads(world),
  ...enroll(world),
  ...poll(world),
  ...report(world),
});
