/**
 * requested, moving or growing → launching, and from one call of a launch to the next: chooses an offer and writes the intent.
 *
 * Lifecycle of a launch: a call per group, in order; a call that was refused is followed by another one for the same
 * group, with the next offer; one that answered by the first one for the next group. What fails, fails the cluster.
 */
import * as Actor from "../../actor/actor.ts";
import * as Budget from "../../budget/take.ts";
import * as Capacity from "../../capacity/memory.ts";
import type { Turn } from "../../cost/cost.ts";
import { MusterError } from "../../error.ts";
import * as Keys from "../../keys.ts";
import type { Offer } from "../../ports/provider.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { chosenOf } from "../../provider/choices.ts";
import * as Choose from "../../provider/choose.ts";
import * as Offers from "../../provider/offers.ts";
import { held } from "../../quota/quota.ts";
import { advance, amend, type Patch } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { groupsOf } from "../group.ts";
import { afford, costOf, gpusOf, restingRate } from "./afford.ts";
import { failLaunch, failureOf } from "./fail.ts";
import { later } from "./later.ts";
import { ownerOf } from "./renew.ts";
import type { In, Outcome } from "./step.ts";

type Planning = In<"requested" | "moving" | "growing" | "launching">;

/** What the calls so far have come to. */
export type Progress = Pick<Cluster.Launch, "try" | "made" | "madeAt">;

/** How often a managed cluster is looked at whose job waits for others, or is held back, in ms. */
const WAIT_CHECK = 900_000;

export async function plan(world: World, cluster: In<"requested">): Promise<Outcome> {
  const owner = await ownerOf(world, cluster);
  // No machine is paid for before its job may begin; its place in the queue then rings.
  if (owner?.state === "waiting") return later(world, cluster, world.clock.now() + WAIT_CHECK);
  return nextGroup(world, cluster, { try: 0 });
}

/** The first call for the first group that is not made. @param launch as it stands now, for the record of a failure. */
export async function nextGroup(
  world: World,
  cluster: Planning,
  progress: Progress,
  launch?: Cluster.Launch,
): Promise<Outcome> {
  const index = progress.made?.length ?? 0;
  const { offers, reason, nodes } = await offersOf(world, cluster, index);
  // Where all were refused lately, the best is asked once more.
  const [offer = offers[0]] = await Capacity.untried(world, offers, nodes);
  if (offer !== undefined) return nextCall(world, cluster, progress, offer, launch);
  return failLaunch(world, cluster, index, { code: "no_offer", message: reason ?? "no machine fits any more" }, launch);
}

/** The most offers of one market that are tried for one group, or for one of its choices. */
const MOST_TRIES = 20;

/** What is to be tried for one of the groups, and how many hosts that one has. */
export async function offersOf(world: World, cluster: Cluster.Cluster, index: number) {
  const group = groupOf(cluster, await specOf(world, cluster), index);
  const provider = Choose.provider(world.providers, { provider: cluster.provider });
  const nodes = groupsOf(cluster)[index]?.nodes ?? 0;
  const { offers, reason } = await Offers.offersOf(provider, group.resources, nodes);
  const open = offers.filter(offer => cluster.spot || offer.choice === undefined || !chosenOf(group, offer).spot);
  return { offers: firstOf(open), reason, nodes };
}

/** Where the best cannot be had, what comes after it must have its turn as well. */
function firstOf(offers: readonly Offer[]): readonly Offer[] {
  const seen = new Map<string, number>();
  return offers.filter(({ choice, market }) => {
    const kind = `${choice} ${market}`;
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    return count <= MOST_TRIES;
  });
}

/** The intent of the next call, with what it changes in what the cluster takes of the budget. */
export async function nextCall(
  world: World,
  cluster: Planning,
  { try: last, ...progress }: Progress,
  offer: Offer,
  launch?: Cluster.Launch,
): Promise<Outcome> {
  const { made = [] } = progress;
  const next: Cluster.Launch = { ...progress, try: last + 1, offer: Cluster.Offer.parse(offer), answered: false };
  // A growth that came to nothing has left what it wanted in the specification.
  const later = (await specOf(world, cluster)).groups.slice(made.length + 1, groupsOf(cluster).length);
  const cost = later.reduce((sum, group) => sum + group.takes, costOf(cluster, [...made, offer]));
  const gpus = later.reduce((sum, group) => sum + (group.gpus ?? 0), gpusOf(cluster, [...made, offer]));
  try {
    const turn = { takes: cost, holds: held(cluster.nodes, gpus), begins: true, ...turnOf(cluster, made) };
    const { share, writes } = await afford(world, cluster, turn);
    const patch = { launch: next, ...share, dueAt: world.clock.now() };
    await world.table.write([...begun(world, cluster, patch), ...writes]);
    return "again";
  } catch (error) {
    if (!Budget.isRefusal(error)) throw error;
    // Prices have risen since it was accepted, or what was cheap was not to be had; or nothing may begin any more.
    return failLaunch(world, cluster, made.length, failureOf(error), launch);
  }
}

/** Of a cluster that moves none runs until one is made; what is made before the last group is there costs from then on. */
function turnOf(cluster: Planning, made: NonNullable<Progress["made"]>): Partial<Turn> {
  if (made.length === 0) return cluster.state === "moving" ? { hourly: restingRate(cluster), machines: "end" } : {};
  const hourly = costOf(cluster, made);
  const isMore = hourly > (cluster.cost?.hourly ?? 0);
  return { hourly, ...(isMore && { machines: "start" }) };
}

/** A cluster that moves has machines of its own already, or had: the new ones are another set. */
function begun(world: World, cluster: Planning, patch: Patch<Cluster.Cluster>): Write[] {
  if (cluster.state === "launching") return [amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write];
  const generation = cluster.state === "moving" ? cluster.generation + 1 : cluster.generation;
  const actor = Actor.system(cluster.workspace);
  return [...advance(world, Cluster.kind, actor, cluster, "plan", { ...patch, generation }).writes];
}

/** What a group of the cluster was asked to be. */
export function groupOf(cluster: Cluster.Cluster, spec: Cluster.Spec, index: number): Cluster.Spec["groups"][number] {
  const asked = spec.groups[index];
  if (asked) return asked;
  throw new MusterError("internal", `cluster ${cluster.id} has no group ${index}`);
}

/** What its groups were asked to be. */
export const specOf = async (world: Pick<World, "table">, cluster: Cluster.Cluster): Promise<Cluster.Spec> =>
  (await specItem(world, cluster)).spec;

/** What its groups were asked to be, with the item that says so. */
export async function specItem(world: Pick<World, "table">, cluster: Cluster.Cluster) {
  const item = await world.table.get(Keys.clusterSpec(cluster.workspace, cluster.id));
  if (item === undefined) throw new MusterError("internal", `cluster ${cluster.id} has no specification`);
  return { item, spec: Cluster.Spec.parse(item.data) };
}
