/** Forgetting secrets that no job needs: it has ended, or was never made. */
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { SecretsKeeper, SecretsRef } from "../ports/secrets.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";

interface Part {
  readonly table: Table;
  readonly secrets: Pick<SecretsKeeper, "forget">;
}

/**
 * A job that may still begin, or begin again, keeps its secrets, whoever asks.
 * @returns whether they were forgotten
 */
export async function forgetUnused(world: Part, ref: SecretsRef): Promise<boolean> {
  const job = await load(world.table, Job.noun, Keys.job(ref.workspace, ref.owner));
  if (job !== undefined && !Job.isOver(job)) return false;
  await world.secrets.forget(ref);
  return true;
}
