/** What of its cluster's hosts a queued job waits for, in sentences. */
import type { Need } from "../cluster/need.ts";
import { emptyRoom, fits, type Room, roomOf } from "../cluster/room.ts";
import { open, type Run, type Slot } from "../cluster/slots.ts";
import { describeNeeds, plural, sentence } from "./needs.ts";
import { alternativesOf, type Entry } from "./place.ts";

type Wish = Pick<Entry, "nodes" | "needs">;

/** @param hosts how many hosts of the cluster take jobs */
export function shortage(wish: Wish, slots: readonly Slot[], hosts: number): string[] {
  const lost = slots.filter(slot => !slot.up).length;
  const away = lost === 0 ? [] : [`${plural(lost, "host")} of it ${are(lost)} lost, and not yet given up`];
  const usable = open(slots).map(slot => ({ ...slot, runs: slot.runs.filter(run => !run.beside) }));
  if (wish.needs === undefined) return [wholeHosts(wish, usable, hosts), ...away];
  const [first, ...others] = alternativesOf(wish).map(need => lacking(need ?? {}, wish.nodes, usable));
  const wants = `it wants ${describeNeeds(wish.needs)} on ${plural(wish.nodes, "host")}`;
  return [`${wants}; ${first ?? ""}`, ...others.filter(text => text !== first), ...away];
}

/** What commands wait for that take nothing of these hosts. */
export function besideReasons(ranks: readonly number[], slots: readonly Slot[]): string[] {
  const lost = ranks.filter(rank => !slots.find(slot => slot.rank === rank)?.up).map(String);
  if (lost.length === 0)
    return ["its hosts are up: it begins at once, or when some of the other commands there have ended"];
  return [`${lost.length === 1 ? "host" : "hosts"} ${sentence(lost)} ${are(lost.length)} lost`];
}

function wholeHosts({ nodes }: Wish, usable: readonly Slot[], hosts: number): string {
  const free = usable.filter(slot => slot.runs.length === 0).length;
  const runs = usable.flatMap(slot => slot.runs);
  return `it wants ${nodes} of ${hosts} hosts, and ${free} ${are(free)} free${runs.length === 0 ? "" : `: the rest is taken by ${taken(runs)}`}`;
}

interface Seen {
  readonly slot: Slot;
  readonly room: Room;
}

const KINDS = ["gpus", "cpus", "memory"] as const;
type What = (typeof KINDS)[number];

/** What there is too little of, on the hosts that are large enough. */
function lacking(need: Need, nodes: number, usable: readonly Slot[]): string {
  const large: Seen[] = usable.filter(slot => fits(emptyRoom(slot), need)).map(slot => ({ slot, room: roomOf(slot) }));
  const ready = large.filter(({ room }) => fits(room, need)).length;
  const hosts =
    ready === 0 ? "no host has room for that now" : `${plural(ready, "host")} ${have(ready)} room for that now`;
  if (ready >= nodes) return hosts;
  const short = KINDS.find(what => large.filter(({ room }) => leftOf(room, what) >= (need[what] ?? 0)).length < nodes);
  const runs = large.flatMap(({ slot }) => slot.runs).filter(run => short === undefined || uses(run, short));
  const left = short === undefined ? hosts : free(large, short);
  if (runs.length === 0) return left;
  return short === undefined ? `${left} beside ${taken(runs)}` : `${left}, the rest is taken by ${taken(runs)}`;
}

const leftOf = (room: Room, what: What): number => {
  if (room.whole) return 0;
  return what === "gpus" ? room.gpus.length : room[what];
};

const uses = ({ whole, ...run }: Run, what: What): boolean =>
  whole === true || (what === "gpus" ? (run.gpus?.length ?? 0) > 0 : (run[what] ?? 0) > 0);

function free(hosts: readonly Seen[], what: What): string {
  const left = rounded(hosts.reduce((sum, { room }) => sum + leftOf(room, what), 0));
  const all = rounded(hosts.reduce((sum, { slot }) => sum + slot[what], 0));
  const unit = { gpus: all === 1 ? "GPU" : "GPUs", cpus: all === 1 ? "CPU" : "CPUs", memory: "GiB of memory" }[what];
  return `${left} of ${all} ${unit} ${are(left)} free`;
}

const rounded = (count: number): number => Math.round(count * 10) / 10;
const are = (count: number): string => (count === 1 ? "is" : "are");
const have = (count: number): string => (count === 1 ? "has" : "have");

/** Jobs that are named at most. */
const MOST_NAMED = 3;

function taken(runs: readonly Run[]): string {
  const jobs = [...new Set(runs.map(run => run.jobId))];
  const more = jobs.length - MOST_NAMED;
  return sentence([...jobs.slice(0, MOST_NAMED), ...(more > 0 ? [plural(more, "other")] : [])]);
}
