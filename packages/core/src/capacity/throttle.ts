/** One bucket of launch calls per provider, for all who launch: the cloud counts calls per account, not per cluster. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Capabilities } from "../ports/provider.ts";
import { type Table, WriteConflict } from "../ports/table.ts";

const Bucket = z.object({ tokens: z.number(), at: z.number() });

/** How long whoever lost a race for the bucket waits, in ms. */
const RACED = 1_000;

/**
 * Takes a token for each call. One must be there; those that are not are owed, and whoever comes next waits for them.
 * @returns 0, or how long to wait before asking again, in ms.
 */
export async function take(
  world: { readonly table: Table; readonly clock: Clock },
  provider: { readonly name: string; readonly capabilities: Pick<Capabilities, "launches"> },
  calls = 1,
): Promise<number> {
  const { launches } = provider.capabilities;
  if (launches === undefined) return 0;
  const key = Keys.launches(provider.name);
  const item = await world.table.get(key);
  const now = world.clock.now();
  const before = item === undefined ? { tokens: launches.burst, at: now } : Bucket.parse(item.data);
  const refill = (Math.max(0, now - before.at) / 1000) * launches.perSecond;
  const tokens = Math.min(launches.burst, before.tokens + refill);
  if (tokens < 1) return Math.ceil(((1 - tokens) / launches.perSecond) * 1000);
  const put = { ...key, type: "bucket", data: { tokens: tokens - calls, at: now } };
  try {
    await world.table.write([{ put, expect: item?.version ?? "absent" }]);
    return 0;
  } catch (error) {
    if (error instanceof WriteConflict) return RACED;
    throw error;
  }
}
