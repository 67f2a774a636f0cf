/**
 * Brings a pool to what it is to be, as far as that goes now. Anything may call it, at any time, any number of times, and it
 * may be stopped anywhere: each step is one transaction, which expects what it was decided on.
 *
 * Lifecycle of a member: its item comes into being with its cluster, and the pool's record counts it in the same transaction,
 * so that two that make members at once never make one too many. When it is prepared it is ready, and stopped where the pool
 * keeps its members so. The item goes with the cluster's removal, or when somebody takes the cluster.
 */
import * as Actor from "../actor/actor.ts";
import { READY_CHECK } from "../cluster/register.ts";
import { retrying } from "../commit.ts";
import type { World } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import { leave } from "./leave.ts";
import { make } from "./make.ts";
import { isReady, membersOf } from "./member.ts";
import * as Pool from "./pool.ts";
import { drop, type Standing, tend } from "./tend.ts";
import { lastTurn, nextTurn } from "./turns.ts";

/** How soon a pool is looked at again in which something is on its way, in ms: mostly somebody rings before. */
const LOOK = 120_000;

/** @throws MusterError when it is worth another try: the pool stays due. */
export async function reconcile(world: World, ref: Pool.PoolRef): Promise<void> {
  if (!(await retrying(() => turned(world, ref)))) return;
  const standing = await retrying(() => tended(world, ref));
  await retrying(() => narrowed(world, ref));
  while (await retrying(() => make(world, ref)));
  await retrying(() => settle(world, ref, standing));
}

/** The size that its time says. @returns whether there is such a pool, and it stays. */
async function turned(world: World, ref: Pool.PoolRef): Promise<boolean> {
  const pool = await Pool.find(world.table, ref.workspace, ref.name);
  if (pool === undefined) return false;
  if (pool.leaving) return leave(world, pool);
  const now = world.clock.now();
  if (pool.nextAt === undefined || pool.nextAt > now) return true;
  const last = lastTurn(pool.sizes, pool.nextAt - 1, now);
  const patch = { size: last?.size ?? pool.size, nextAt: nextTurn(pool.sizes, now)?.at, dueAt: now, changedAt: now };
  const { next, write } = amend<Pool.Pool>(Pool.noun, pool, patch);
  const details = { size: next.size, ...(last && { time: last.at }) };
  await world.table.write([write, Pool.eventOf(world, Actor.system(pool.workspace), next, "sized", { details })]);
  return true;
}

/** Each member as it stands, and what that asks for. @returns whether any is on its way. */
async function tended(world: World, ref: Pool.PoolRef): Promise<Standing> {
  const pool = await Pool.find(world.table, ref.workspace, ref.name);
  let standing: Standing = "rests";
  for (const member of pool === undefined ? [] : await membersOf(world.table, pool))
    if ((await tend(world, ref, member)) === "moves") standing = "moves";
  return standing;
}

/** Those that are too many, and those that are made from what the pool is no more; first what nobody can use yet. */
async function narrowed(world: World, ref: Pool.PoolRef): Promise<void> {
  const pool = await Pool.find(world.table, ref.workspace, ref.name);
  if (pool === undefined || pool.leaving) return;
  const members = await membersOf(world.table, pool);
  const [old, mine] = [
    members.filter(one => one.revision !== pool.revision),
    members.filter(one => one.revision === pool.revision),
  ];
  const spare = mine.toSorted((a, b) => Number(isReady(a, pool)) - Number(isReady(b, pool)));
  const surplus = spare.slice(0, Math.max(0, mine.length - pool.size));
  // The pool is checked: whoever makes it larger meanwhile has a use for them.
  for (const member of old) await drop(world, pool, member, "it is made from what the pool was before");
  for (const member of surplus) await drop(world, pool, member, `the pool keeps ${pool.size}`);
}

/** What is told of it in lists, and when somebody must look again; written only where that has changed. */
async function settle(world: World, ref: Pool.PoolRef, standing: Standing): Promise<void> {
  const pool = await Pool.find(world.table, ref.workspace, ref.name);
  if (pool === undefined) return;
  const members = await membersOf(world.table, pool);
  const now = world.clock.now();
  const ready = members.filter(member => isReady(member, pool)).length;
  const making = members.length - ready;
  const dueAt = nextLook(pool, members.length, making > 0 || standing === "moves", now);
  const isEarly = pool.dueAt !== undefined && pool.dueAt > now && pool.dueAt <= dueAt;
  if (isEarly && pool.ready === ready && pool.making === making) return;
  await world.table.write([amend<Pool.Pool>(Pool.noun, pool, { ready, making, dueAt }).write]);
}

function nextLook(pool: Stored<Pool.Pool>, members: number, moves: boolean, now: number): number {
  const soon = now + LOOK;
  const never = Number.POSITIVE_INFINITY;
  const retryAt = pool.retryAt !== undefined && pool.retryAt > now ? pool.retryAt : soon;
  return Math.min(now + READY_CHECK, pool.nextAt ?? never, moves ? soon : never, members < pool.size ? retryAt : never);
}
