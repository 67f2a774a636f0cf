/** The route table: every route of the system, by id. */
import type { Route } from "./route.ts";
import { budgets, tokens } from "./routes/admin.ts";
import { artifacts, checkpoints } from "./routes/artifacts.ts";
import { clusters } from "./routes/clusters.ts";
import { jobs } from "./routes/jobs.ts";
import { agent, providers, uploads } from "./routes/rest.ts";
import { schedules } from "./routes/schedules.ts";
import { secrets } from "./routes/secrets.ts";
import { targets } from "./routes/targets.ts";

export const routes = {
  ...jobs,
  ...artifacts,
  ...clusters,
  ...uploads,
  ...providers,
  ...secrets,
  ...targets,
  ...schedules,
  ...agent,
  ...checkpoints,
  ...tokens,
  ...budgets,
} as const;

export type Routes = typeof routes;
export type RouteId = keyof Routes;

export const entries: readonly (readonly [RouteId, Route])[] = Object.entries(routes) as [RouteId, Route][];
