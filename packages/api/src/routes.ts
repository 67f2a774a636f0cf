/** The route table: every route of the system, by id; whole, and by the function that answers. */
import type { Route } from "./route.ts";
import { hosts } from "./routes/hosts.ts";
import { admin } from "./served/admin.ts";
import { api } from "./served/api.ts";
import { config } from "./served/config.ts";
import { hooks } from "./served/hooks.ts";
import { signin } from "./served/signin.ts";

/** A function loads its own part alone. */
export const served = { api, config, admin, signin, hooks, agent: hosts } as const;

export const routes = { ...api, ...config, ...admin, ...signin, ...hooks, ...hosts } as const;

export type Routes = typeof routes;
export type RouteId = keyof Routes;

/** The functions that answer requests. */
export type Serving = keyof typeof served;
export const SERVING = Object.keys(served) as readonly Serving[];

/** Which function answers. */
export function functionOf(id: RouteId): Serving {
  if (id in config) return "config";
  if (id in admin) return "admin";
  if (id in signin) return "signin";
  if (id in hooks) return "hooks";
  return id in hosts ? "agent" : "api";
}

export const entries: readonly (readonly [RouteId, Route])[] = Object.entries(routes) as [RouteId, Route][];
