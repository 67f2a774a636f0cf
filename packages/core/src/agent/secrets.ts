/** The secrets that a job begins with: those that it brought, its secret files, and the workspace's that it names. */
import { isRetryable } from "../error.ts";
import type * as Job from "../job/job.ts";
import { endWithoutSecrets, goneFrom, LOST } from "../job/without-secrets.ts";
import type { Log } from "../ports/ports.ts";
import type { SecretsReader } from "../ports/secrets.ts";
import type { Basics } from "../ports/world.ts";
import { type Kept, partsOf } from "../secret/kept.ts";
import { readStored, SHOWS_WITHIN } from "../secret/stored.ts";
import type { Task } from "../task/task.ts";

type Part = Basics & { readonly secrets: SecretsReader; readonly log: Log };

/**
 * A job that has secrets does not begin without them: when they are gone it ends, and says why.
 * @returns undefined while, or when, they cannot be had.
 */
export async function secretsOf(world: Part, job: Job.Placed, task: Task, rank: number): Promise<Kept | undefined> {
  if (isEnding(job) && (job.hasSecrets || task.storedSecrets.length > 0)) {
    await endWithoutSecrets(world, job, rank, LOST);
    return undefined;
  }
  try {
    const own = await ownOf(world, job, rank);
    return own && (await withStored(world, job, task, rank, own));
  } catch (error) {
    // The host is answered all the same: it would take us for dead, and the next poll asks again.
    if (!isRetryable(error)) throw error;
    world.log.error("a job's secrets cannot be read now", { job: job.id, reason: String(error) });
    return undefined;
  }
}

/** Its end does not wait for a store that may be out of reach for long. */
const isEnding = (job: Job.Placed): boolean => job.state === "cancelling" || job.verdict !== undefined;

async function ownOf(world: Part, job: Job.Placed, rank: number): Promise<Kept | undefined> {
  if (!job.hasSecrets) return { secrets: {}, files: [] };
  const found = await world.secrets.read({ workspace: job.workspace, owner: job.array?.id ?? job.id });
  if (found !== undefined) return partsOf(found);
  // What was kept a moment ago may not show yet.
  if (world.clock.now() > job.createdAt + SHOWS_WITHIN) await endWithoutSecrets(world, job, rank, LOST);
  return undefined;
}

async function withStored(
  world: Part,
  job: Job.Placed,
  { storedSecrets }: Pick<Task, "storedSecrets">,
  rank: number,
  own: Kept,
): Promise<Kept | undefined> {
  const found = await readStored(world, job.workspace, storedSecrets);
  if (found === "later") return undefined;
  if ("values" in found) return { ...own, secrets: { ...found.values, ...own.secrets } };
  await endWithoutSecrets(world, job, rank, goneFrom(found.gone));
  return undefined;
}
