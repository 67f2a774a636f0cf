/** How long logs are kept, where the blob store does not see to it by itself. */
import type { World } from "../ports/world.ts";

/** Days that logs are kept when nobody has said otherwise. */
export const KEPT_DAYS = 90;

const DAY = 86_400_000;
const PER_READ = 1000;
/** Every job's log is below it. */
const LOGS = "logs/";

/** Removes what came home more than so many days ago. @returns how many chunks that were. */
export async function sweepLogs({ blobs, clock }: Pick<World, "blobs" | "clock">, days: number): Promise<number> {
  const before = clock.now() - days * DAY;
  let count = 0;
  let after: string | undefined;
  do {
    const page = await blobs.list(LOGS, { limit: PER_READ, ...(after !== undefined && { after }) });
    for (const { key } of page.filter(head => head.writtenAt < before)) {
      await blobs.remove(key);
      count++;
    }
    after = page.length < PER_READ ? undefined : page.at(-1)?.key;
  } while (after !== undefined);
  return count;
}
