/**
 * One bucket of launch calls per provider, for all who launch: the cloud counts calls per account, not per cluster.
 *
 * Workspaces take turns: whoever waits and has had a call longest ago is next, and the others leave a token for each who is.
 * Nobody leaves more than a full bucket, so that one who waits and does not come again holds up nobody for long.
 */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Capabilities } from "../ports/provider.ts";
import { type Item, type Table, WriteConflict } from "../ports/table.ts";

const Turn = z.object({
  /** Epoch ms at which it was last told to wait; absent: it has not been since it last had a call. */
  asked: z.number().optional(),
  /** Epoch ms up to which it has had its share. */
  had: z.number().optional(),
});
type Turn = z.infer<typeof Turn>;

const Bucket = z.object({
  tokens: z.number(),
  at: z.number(),
  /** By workspace, of those who launched lately. */
  turns: z.record(z.string(), Turn).default({}),
});
type Bucket = z.infer<typeof Bucket>;

/** How often whoever loses a race for the bucket looks at it again at once, and how long it waits then, in ms. */
const RACES = 5;
const RACED = 1_000;

/** How long it is remembered who waits and who has had a call, in ms: what waits is looked at every minute at least. */
const REMEMBERED = 90_000;

/** The most workspaces of whom anything is remembered. */
const MOST = 100;

type Part = { readonly table: Table; readonly clock: Clock };

export interface Ask {
  readonly workspace: string;
  readonly calls: number;
}

/**
 * Takes a token for each call. One must be there; those that are not are owed, and whoever comes next waits for them.
 * @returns 0, or how long to wait before asking again, in ms.
 */
export async function take(
  world: Part,
  provider: { readonly name: string; readonly capabilities: Pick<Capabilities, "launches"> },
  ask: Ask,
): Promise<number> {
  const { launches } = provider.capabilities;
  if (launches === undefined) return 0;
  for (let race = 0; race < RACES; race++) {
    const wait = await tryOnce(world, { name: provider.name, launches }, ask);
    if (wait !== undefined) return wait;
  }
  return RACED;
}

/** @returns undefined when somebody else was faster. */
async function tryOnce(
  world: Part,
  provider: { readonly name: string; readonly launches: NonNullable<Capabilities["launches"]> },
  { workspace, calls }: Ask,
): Promise<number | undefined> {
  const { launches } = provider;
  const item = await world.table.get(Keys.launches(provider.name));
  const now = world.clock.now();
  const bucket = refilled(item, launches, now);
  const own = bucket.turns[workspace] ?? {};
  const needed = Math.min(1 + ahead(bucket, workspace), launches.burst);
  if (bucket.tokens < needed) {
    const isNoted =
      own.asked !== undefined ||
      (await written(world, provider, item, turned(bucket, workspace, { ...own, asked: now })));
    if (!isNoted) return undefined;
    return Math.max(1, Math.ceil(((needed - bucket.tokens) / launches.perSecond) * 1000));
  }
  const had = Math.max(now, own.had ?? 0) + ((calls - 1) / launches.perSecond) * 1000;
  const next = turned({ ...bucket, tokens: bucket.tokens - calls }, workspace, { had });
  return (await written(world, provider, item, next)) ? 0 : undefined;
}

function refilled(
  item: Item | undefined,
  { burst, perSecond }: { burst: number; perSecond: number },
  now: number,
): Bucket {
  if (item === undefined) return { tokens: burst, at: now, turns: {} };
  const before = Bucket.parse(item.data);
  const refill = (Math.max(0, now - before.at) / 1000) * perSecond;
  const turns = Object.entries(before.turns).flatMap(([workspace, turn]) => {
    const recent = recentOf(turn, now);
    return recent ? [[workspace, recent] as const] : [];
  });
  const tokens = Math.min(burst, before.tokens + refill);
  // Of a clock that runs behind: what was filled in by the other one is not filled in again.
  return { tokens, at: Math.max(now, before.at), turns: Object.fromEntries(turns) };
}

function recentOf({ asked = 0, had = 0 }: Turn, now: number): Turn | undefined {
  const turn = {
    ...(asked > now - REMEMBERED && { asked }),
    ...(had > now - REMEMBERED && { had }),
  };
  return Object.keys(turn).length > 0 ? turn : undefined;
}

/** How many wait who have had a call longer ago. */
function ahead({ turns }: Bucket, workspace: string): number {
  const own = turns[workspace]?.had ?? 0;
  const others = Object.entries(turns).filter(([name]) => name !== workspace);
  return others.filter(([, { asked, had = 0 }]) => asked !== undefined && had < own).length;
}

function turned(bucket: Bucket, workspace: string, turn: Turn): Bucket {
  const { [workspace]: _, ...others } = bucket.turns;
  const latest = Object.entries(others)
    .sort(([, a], [, b]) => latestOf(b) - latestOf(a))
    .slice(0, MOST - 1);
  return { ...bucket, turns: { ...Object.fromEntries(latest), [workspace]: turn } };
}

const latestOf = ({ asked = 0, had = 0 }: Turn): number => Math.max(asked, had);

/** @returns false when somebody else was faster. */
async function written(
  { table }: Pick<Part, "table">,
  provider: { readonly name: string },
  item: Item | undefined,
  data: Bucket,
): Promise<boolean> {
  const put = { ...Keys.launches(provider.name), type: "bucket", data };
  try {
    await table.write([{ put, expect: item?.version ?? "absent" }]);
    return true;
  } catch (error) {
    if (error instanceof WriteConflict) return false;
    throw error;
  }
}
