/** A sweep that was asked for, done. It may be done twice at once: each deed is the same the second time. */
import { isCode, MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { MachineProvider, Offer } from "../ports/provider.ts";
import { WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import type { Swept } from "./finding.ts";
import { sweep } from "./orphans.ts";
import { draft, type Item, MOST_ITEMS, MOST_PROBLEMS, Stored } from "./request.ts";

/** Whoever asked has long gone, in ms; what could not be done until then is left to the sweep that comes anyway. */
const DONE_WITHIN = 900_000;
const TOO_LATE = "it could not be done in time: see the log of the control plane";

export async function run(
  world: World,
  { workspace, id }: { readonly workspace: string; readonly id: string },
): Promise<void> {
  const item = await world.table.get(Keys.sweep(workspace, id));
  if (item === undefined) return;
  const asked = Stored.parse(item.data);
  if (asked.state === "done") return;
  if (world.clock.now() > asked.createdAt + DONE_WITHIN) return close(world, item.version, asked, [], [TOO_LATE]);
  const problems: string[] = [];
  const tell = (failure: string, error: unknown) => void problems.push(`${failure}: ${reasonOf(error)}`);
  const swept = await sweep(world, { workspace, isDry: asked.dryRun, tell });
  return close(world, item.version, asked, swept, problems);
}

async function close(
  world: World,
  version: number,
  asked: Stored,
  swept: readonly Swept[],
  problems: readonly string[],
): Promise<void> {
  const done: Stored = {
    ...asked,
    state: "done",
    doneAt: world.clock.now(),
    items: await shown(world, swept.slice(0, MOST_ITEMS)),
    total: swept.length,
    problems: problems.slice(0, MOST_PROBLEMS),
  };
  try {
    await world.table.write([{ put: draft(done), expect: version }]);
  } catch (error) {
    // Somebody else has done it meanwhile.
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** What is not in the system's own words stays in the log. */
const reasonOf = (error: unknown): string =>
  error instanceof MusterError && isCode(error.code) ? error.message.slice(0, 300) : "see the log of the control plane";

async function shown(world: World, swept: readonly Swept[]): Promise<Item[]> {
  const prices = new Map<string, Prices>();
  for (const name of new Set(swept.filter(costs).map(({ provider }) => provider))) {
    const provider = world.providers.get(name);
    if (provider !== undefined) prices.set(name, await pricesOf(provider));
  }
  return swept.map(({ workspace: _, market, ...one }) => {
    const hourly = costs(one) ? prices.get(one.provider)?.(one.instanceType, market) : undefined;
    return { ...one, ...(hourly !== undefined && { hourly }) };
  });
}

const costs = ({ kind }: Pick<Swept, "kind">): boolean => kind === "machine";

type Prices = (instanceType: string | undefined, market: Offer["market"] | undefined) => number | undefined;

/** What is not known is not told: a catalog that cannot be read keeps nothing from being found. */
async function pricesOf(provider: MachineProvider): Promise<Prices> {
  const listed = await provider.catalog().catch(() => []);
  const types = new Map(listed.map(one => [one.instanceType, one]));
  return (instanceType, market) => {
    const one = instanceType === undefined ? undefined : types.get(instanceType);
    return market === "spot" ? one?.spotHourly : one?.hourly;
  };
}
