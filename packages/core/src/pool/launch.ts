/** What the members of a pool are made from. */
import * as Keys from "../keys.ts";
import type * as Launch from "../launch/launch.ts";
import { storedLaunch } from "../launch/stored.ts";
import type { World } from "../ports/world.ts";
import type { Pool } from "./pool.ts";

/** Seconds that preparing may take, where the task does not say. */
const WITHIN = 3600;

/**
 * The machines, and the task that prepares them.
 * @throws MusterError `not_found` when the pool was removed meanwhile; `invalid_request` for what may not be launched any more
 */
export async function preparing({ table }: Pick<World, "table">, { workspace, name }: Pool): Promise<Launch.Create> {
  const launch = storedLaunch(await table.get(Keys.pooled(workspace, name)), "pool", name);
  const { task } = launch;
  return { ...launch, task: { ...task, name: task.name ?? name, timeout: task.timeout ?? WITHIN } };
}
