/**
 * The brake: when very many hosts fall silent at once, it is more likely that something is wrong with whoever listens than
 * with all of them. So only a share of a provider's hosts is given up for silence in any ten minutes. The others stay what
 * they are, with the jobs that they run, and are looked at again; and somebody is told.
 *
 * Not braked are hosts whose end the cloud itself tells of: of a machine that has ended or stands still, or that it has
 * announced to take back. That it merely does not show a machine proves nothing.
 */

import * as z from "zod";
import * as Actor from "../actor/actor.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { ClusterRef, Machine, MachineProvider } from "../ports/provider.ts";
import { type Item, type Table, type Write, WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { idOf } from "./id.ts";

/** The share of all hosts that may be given up, and how many it is at least. */
const SHARE = 0.2;
const LEAST = 2;
/** In which time, in ms. */
export const WINDOW = 600_000;
/** What was given up is counted by the minute: a window may be a minute longer than it must, never shorter. */
const MINUTE = 60_000;
/** How often a cluster's history says that its hosts are not given up, in ms: once, in any ordinary trouble. */
const SAID_FOR = 3_600_000;
/** How long after its announcement a machine's end may have come, in ms. */
const TAKEN_WITHIN = 600_000;

const Fleet = z.object({ hosts: z.number() });
const GivenUp = z.object({
  /** By the minute since 1970: how many hosts. */
  minutes: z.record(z.string(), z.number()),
  /** The last minute in which more were than there is ever room for. */
  whole: z.number().optional(),
});
type GivenUp = z.infer<typeof GivenUp>;

type Part = { readonly table: Table; readonly clock: Clock };

/** Of so many hosts, how many may be given up within the window. */
export const allowanceOf = (hosts: number): number => Math.max(LEAST, Math.floor(SHARE * hosts));

/** Notes how many hosts the provider has, when that makes a difference. */
export async function count({ table }: Pick<Part, "table">, provider: string, hosts: number): Promise<void> {
  const key = Keys.fleet(provider);
  const before = await table.get(key);
  if (allowanceOf(hostsIn(before)) === allowanceOf(hosts)) return;
  await unlessRaced(
    table.write([{ put: { ...key, type: "fleet", data: { hosts } }, expect: before?.version ?? "absent" }]),
  );
}

/** A provider whose machines nobody has counted yet has none. */
const hostsIn = (item: Item | undefined): number => (item === undefined ? 0 : Fleet.parse(item.data).hosts);

/**
 * Lets so many hosts be given up, if there is room for them.
 * @param whole since when, epoch ms, somebody has waited to give up more hosts at once than there is ever room for: such as
 *   the hosts of a large cluster, which is lost as a whole. It waits as long as giving them up in parts would take, and for
 *   others like it; not for those who are given up one by one, or it might wait for ever.
 * @returns the write that counts them, to go with those that give them up; undefined when they must stay for now.
 */
export async function release(
  { table, clock }: Part,
  provider: string,
  hosts: number,
  whole?: number,
): Promise<Write | undefined> {
  const now = clock.now();
  const key = Keys.givenUp(provider);
  const [item, fleet] = await Promise.all([table.get(key), table.get(Keys.fleet(provider))]);
  const { minutes, whole: last } = recentOf(item, now);
  const room = allowanceOf(hostsIn(fleet));
  const fits = sum(Object.values(minutes)) + hosts <= room;
  const isPatient = whole !== undefined && last === undefined && now - whole >= Math.ceil(hosts / room) * WINDOW;
  if (!fits && !isPatient) return undefined;
  const minute = Math.floor(now / MINUTE);
  const data: GivenUp = {
    minutes: { ...minutes, [minute]: (minutes[minute] ?? 0) + hosts },
    whole: fits ? last : minute,
  };
  const put = { ...key, type: "given_up", data, expiresAt: now + 2 * WINDOW };
  return { put, expect: item?.version ?? "absent" };
}

/** What of it was within the window. */
function recentOf(item: Item | undefined, now: number): GivenUp {
  const { minutes, whole }: GivenUp = item === undefined ? { minutes: {} } : GivenUp.parse(item.data);
  const isRecent = (minute: number) => (minute + 1) * MINUTE + WINDOW > now;
  return {
    minutes: Object.fromEntries(Object.entries(minutes).filter(([minute]) => isRecent(Number(minute)))),
    ...(whole !== undefined && isRecent(whole) && { whole }),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Somebody must hear of hosts that the brake holds; each time, and once in the cluster's history. */
export async function tell(
  world: Pick<World, "table" | "clock" | "random" | "log">,
  { workspace, clusterId }: ClusterRef,
  hosts: number,
): Promise<void> {
  const now = world.clock.now();
  const message = `${hosts === 1 ? "a host is" : `${hosts} hosts are`} silent, and not given up: too many are at once`;
  world.log.error("silent hosts are not given up: too many are silent at once", { cluster: clusterId, hosts });
  world.log.count?.("HostsBraked", hosts);
  const key = Keys.braked(workspace, clusterId);
  const owner = Keys.cluster(workspace, clusterId);
  const said = await world.table.get(key);
  if (said !== undefined && (said.expiresAt ?? 0) > now) return;
  const id = Id.create(world.random, "event");
  const event = { id, at: now, subject: clusterId, kind: "cluster.braked", clusterId, message };
  await unlessRaced(
    world.table.write([
      { put: { ...key, type: "braked", data: {}, expiresAt: now + SAID_FOR }, expect: said?.version ?? "absent" },
      { put: Event.draft(owner, Actor.system(workspace), event), expect: "absent" },
    ]),
  );
}

/** Somebody else has just written the same. */
async function unlessRaced(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** A host that is silent, and when the cloud said that it takes its machine back, epoch ms. */
export interface Suspect {
  readonly rank: number;
  /** Epoch ms until which it was heard. */
  readonly heard: number;
  readonly interruptedAt?: number | undefined;
}

/**
 * The ranks of those whose end the cloud itself tells of.
 * @param shown the cluster's machines, as the provider has just shown them
 */
export async function provenGone(
  provider: Pick<MachineProvider, "ended">,
  cluster: ClusterRef & { readonly generation: number },
  suspects: readonly Suspect[],
  shown: readonly Machine[],
): Promise<ReadonlySet<number>> {
  const isTaken = ({ heard, interruptedAt }: Suspect) =>
    interruptedAt !== undefined && interruptedAt + TAKEN_WITHIN > heard;
  const open = suspects.filter(suspect => !isTaken(suspect));
  const { workspace, clusterId, generation } = cluster;
  const ended = open.length === 0 ? [] : ((await provider.ended?.({ workspace, clusterId })) ?? []);
  const ofNow = [...shown, ...ended].filter(machine => machine.generation === generation);
  const runs = hostsOf(ofNow.filter(machine => RUNS.has(machine.state)));
  const over = hostsOf(ofNow.filter(machine => !RUNS.has(machine.state)));
  const isOver = ({ rank }: Suspect) => over.has(idOf(clusterId, rank)) && !runs.has(idOf(clusterId, rank));
  return new Set(suspects.filter(suspect => isTaken(suspect) || isOver(suspect)).map(({ rank }) => rank));
}

const RUNS: ReadonlySet<string> = new Set(["pending", "running"]);
const hostsOf = (machines: readonly Machine[]): ReadonlySet<string> => new Set(machines.map(one => one.hostId));
