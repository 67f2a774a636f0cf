/** How long logs are kept, and what else jobs leave, where the blob store does not see to it by itself. */
import type { World } from "../ports/world.ts";

/** Days that logs are kept when nobody has said otherwise. */
export const KEPT_DAYS = 90;

const DAY = 86_400_000;
const PER_READ = 1000;
/** What goes with the logs. */
const LIKE_LOGS = ["logs/", "outputs/"] as const;
const CHECKPOINTS = "checkpoints/";
/** Hosts send again what is 30 days old of a checkpoint that is in use. */
const CHECKPOINT_DAYS = 90;

/** Removes what came home more than so many days ago. @returns how many blobs that were. */
export async function sweepLogs(world: Pick<World, "blobs" | "clock">, days: number): Promise<number> {
  const like = await Promise.all(LIKE_LOGS.map(prefix => sweep(world, prefix, days)));
  const checkpoints = await sweep(world, CHECKPOINTS, CHECKPOINT_DAYS);
  return like.reduce((sum, count) => sum + count, checkpoints);
}

async function sweep({ blobs, clock }: Pick<World, "blobs" | "clock">, prefix: string, days: number): Promise<number> {
  const before = clock.now() - days * DAY;
  let count = 0;
  let after: string | undefined;
  do {
    const page = await blobs.list(prefix, { limit: PER_READ, ...(after !== undefined && { after }) });
    for (const { key } of page.filter(head => head.writtenAt < before)) {
      await blobs.remove(key);
      count++;
    }
    after = page.length < PER_READ ? undefined : page.at(-1)?.key;
  } while (after !== undefined);
  return count;
}
