/** Grants as they stand in one deployment. */
import { type Deployment, type FunctionName, places } from "../places.ts";
import type { Grant } from "./grant.ts";

/** A statement, as SST's `permissions` take it. */
export interface Statement {
  readonly actions: string[];
  readonly resources: string[];
  readonly conditions?: { test: string; variable: string; values: string[] }[];
}

/** What grants come to in one deployment. @param name the function whose own things a place may mean */
export function resolve(some: readonly Grant[], at: Deployment, name: FunctionName): Statement[] {
  return some.flatMap(grant => {
    const resources = grant.on.flatMap(place => places[place](at, name));
    if (resources.length === 0) return [];
    const conditions = (grant.when ?? []).map(({ values, ...rest }) => ({
      ...rest,
      values: values.map(value => value.replace("{deployment}", at.deployment)),
    }));
    return [{ actions: [...grant.actions], resources, ...(conditions.length > 0 && { conditions }) }];
  });
}
