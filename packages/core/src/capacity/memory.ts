/** What is known of a provider's capacity: where it had none lately, nobody asks again for some minutes. Only a hint. */
import * as z from "zod";
import type { ErrorCode } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Offer } from "../ports/provider.ts";
import { type Table, WriteConflict } from "../ports/table.ts";

/** How long a refusal is remembered, in ms. */
const REMEMBERED = 5 * 60_000;

const Refusal = z.object({ until: z.number(), /** Hosts that were asked for. */ nodes: z.number().default(1) });

type Place = Pick<Offer, "instanceType" | "zone" | "market" | "pool">;
type Part = { readonly table: Table; readonly clock: Clock };

/** What two offers have in common of which one has no machines when the other has none. */
export const placeOf = ({ instanceType, zone, market, pool }: Place): string =>
  `${instanceType}#${zone ?? ""}#${market}${pool === undefined ? "" : `#${pool}`}`;
const everywhere = ({ instanceType, market }: Place): string => `${instanceType}#*#${market}`;

/** Notes that this offer was refused: for want of machines in its zone, or, by a quota, wherever it is. */
export async function remember(world: Part, offer: Offer, nodes: number, code: ErrorCode): Promise<void> {
  const key = Keys.capacity(offer.provider, code === "quota_exceeded" ? everywhere(offer) : placeOf(offer));
  const until = world.clock.now() + REMEMBERED;
  const before = await world.table.get(key);
  const put = { ...key, type: "capacity", data: { until, nodes }, expiresAt: until };
  try {
    await world.table.write([{ put, expect: before?.version ?? "absent" }]);
  } catch (error) {
    // Somebody else has just noted the same.
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** The offers of which so many hosts, or fewer, were not refused lately, in their order. */
export async function untried(world: Part, offers: readonly Offer[], nodes: number): Promise<readonly Offer[]> {
  const [first] = offers;
  if (first === undefined) return [];
  const refused = await refusals(world, first.provider, nodes);
  return offers.filter(offer => !refused.has(placeOf(offer)) && !refused.has(everywhere(offer)));
}

async function refusals(world: Part, provider: string, nodes: number): Promise<ReadonlySet<string>> {
  const { pk, sk } = Keys.capacity(provider, "");
  const page = await world.table.query({ pk, prefix: sk, limit: 1000 });
  const now = world.clock.now();
  const standing = page.items.filter(item => {
    const refusal = Refusal.parse(item.data);
    return refusal.until > now && refusal.nodes <= nodes;
  });
  return new Set(standing.map(item => item.sk.slice(sk.length)));
}
