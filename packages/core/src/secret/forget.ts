/** Forgetting secrets that nobody needs: their job has ended, or was never made; their name has another value, or is gone. */
import * as JobArray from "../array/array.ts";
import * as Id from "../id.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Log } from "../ports/ports.ts";
import type { SecretsKeeper, SecretsRef } from "../ports/secrets.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import { idsOf } from "./secret.ts";

interface Part {
  readonly table: Table;
  readonly secrets: Pick<SecretsKeeper, "forget">;
}

export type IsNeeded = (ref: SecretsRef) => Promise<boolean>;

/** What is needed, where the values of stored secrets are looked up once per workspace. What belongs to another noun is. */
export function needs(table: Table): IsNeeded {
  const stored = new Map<string, Promise<ReadonlySet<string>>>();
  return async ({ workspace, owner }) => {
    if (Id.is("job", owner)) return isLive(table, workspace, owner);
    if (!Id.is("secret", owner)) return true;
    const ids = stored.get(workspace) ?? idsOf(table, workspace);
    stored.set(workspace, ids);
    return (await ids).has(owner);
  };
}

/** A job that may still begin, or begin again; or an array of which one may. */
async function isLive(table: Table, workspace: string, id: string): Promise<boolean> {
  const job = await load(table, Job.noun, Keys.job(workspace, id));
  if (job !== undefined) return !Job.isOver(job);
  const array = await load(table, JobArray.noun, Keys.array(workspace, id));
  return array !== undefined && !JobArray.isOver(array);
}

/**
 * What is needed stays, whoever asks.
 * @returns whether they were forgotten
 */
export async function forgetUnused(
  world: Part,
  ref: SecretsRef,
  isNeeded: IsNeeded = needs(world.table),
): Promise<boolean> {
  if (await isNeeded(ref)) return false;
  await world.secrets.forget(ref);
  return true;
}

/** For whoever has done what was asked for: what cannot be forgotten now is left to the sweep. */
export async function forgetQuietly(world: Part & { readonly log: Log }, ref: SecretsRef): Promise<void> {
  try {
    await forgetUnused(world, ref);
  } catch (error) {
    world.log.error("secrets that nobody needs are left to the sweep", { ...ref, reason: String(error) });
  }
}
