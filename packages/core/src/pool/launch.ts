/** What the members of a pool are made from. */
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import * as Launch from "../launch/launch.ts";
import type { World } from "../ports/world.ts";
import type { Pool } from "./pool.ts";

/** Seconds that preparing may take, where the task does not say. */
const WITHIN = 3600;

/** The machines, and the task that prepares them. @throws MusterError `not_found` when the pool was removed meanwhile */
export async function preparing({ table }: Pick<World, "table">, { workspace, name }: Pool): Promise<Launch.Create> {
  const item = await table.get(Keys.pooled(workspace, name));
  if (item === undefined) throw new MusterError("not_found", `there is no pool '${name}'`);
  const launch = Launch.Create.parse(item.data.launch);
  const { task } = launch;
  return { ...launch, task: { ...task, name: task.name ?? name, timeout: task.timeout ?? WITHIN } };
}
