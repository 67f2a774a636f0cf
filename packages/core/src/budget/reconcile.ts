/**
 * A budget that is due: what is to be told of its month, and the clusters of a frozen workspace that are to stop. The record
 * says what is to be done until all of it has been, so that whoever is cut off here is followed by the next sweep.
 */
import * as Actor from "../actor/actor.ts";
import { remove, stop } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import * as Budget from "./budget.ts";
import { eventOf } from "./freeze.ts";
import { told } from "./take.ts";

/** How soon it is looked at again while something has still to stop, in ms; lists may lag behind for as long. */
const LOOK = 60_000;

/** How far the clock of whoever froze it may be ahead, in ms: its ring is answered at once. */
const AHEAD = 5_000;

export interface BudgetRef {
  readonly workspace: string;
  readonly user?: string | undefined;
}

export async function reconcile(world: World, { workspace, user }: BudgetRef): Promise<void> {
  const now = world.clock.now();
  const budget = await retrying(async () => {
    const found = await load(world.table, Budget.noun, Keys.budget(workspace, user));
    if (found?.dueAt !== undefined && found.dueAt <= now) await world.table.write(told(world, found));
    return found;
  });
  if (budget?.frozen?.dueAt !== undefined && budget.frozen.dueAt <= now + AHEAD)
    await rest(world, budget, budget.frozen);
}

/** Stops what runs, and looks again until nothing is on its way. */
async function rest(world: World, { workspace }: BudgetRef, frozen: Budget.Freeze): Promise<void> {
  const now = world.clock.now();
  let awaited = now < frozen.at + LOOK;
  for (const id of await living(world, workspace)) {
    try {
      if (await isMoving(world, workspace, id, frozen.terminate === true)) awaited = true;
    } catch (error) {
      world.log.error("a cluster of a frozen workspace could not be stopped yet", { id, reason: String(error) });
      awaited = true;
    }
  }
  await retrying(async () => {
    const budget = await Budget.get(world.table, workspace);
    // Somebody has let it go on, or asked for more, meanwhile.
    if (budget.frozen === undefined || budget.frozen.dueAt !== frozen.dueAt) return;
    const { dueAt: _, ...rest } = budget.frozen;
    const next = awaited ? { ...rest, dueAt: now + LOOK } : rest;
    const { write } = amend(Budget.noun, budget, { frozen: next });
    const done = awaited
      ? []
      : [eventOf(world, Actor.system(workspace), "budget.rests", "all has stopped that can be")];
    await world.table.write([write, ...done]);
  });
}

/** Ids of its clusters that have not ended. */
async function living(world: World, workspace: string): Promise<string[]> {
  const { pk } = Keys.list(workspace, "cluster", "");
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ pk, index: "list", limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const { data } of page.items)
      if (!Cluster.isLeaving(data as { state: Cluster.State; renew?: boolean }) || data.hookBy !== undefined)
        found.push(String(data.id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Where a cluster rests, or stays: it takes an admin's word to end it. */
const STAYS: ReadonlySet<Cluster.State> = new Set(["ready", "broken", "stopped", "draining", "terminated", "failed"]);

/** @returns whether it has to be looked at again. */
async function isMoving(world: World, workspace: string, id: string, ends: boolean): Promise<boolean> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, id));
  if (cluster === undefined || cluster.state === "stopped") return false;
  const actor = Actor.system(workspace);
  if (Cluster.isLeaving(cluster)) {
    // It may wait for a hook, with machines that run.
    await remove(world, actor, id);
    return false;
  }
  try {
    const { state } = await stop(world, actor, id, { now: true });
    return !STAYS.has(state);
  } catch (error) {
    const isNo = error instanceof MusterError && (error.code === "conflict" || error.code === "unsupported");
    if (!isNo) throw error;
    if (!ends) return !STAYS.has(cluster.state);
    await remove(world, actor, id);
    return false;
  }
}
