/**
 * Making a member: an ordinary launch of a cluster without a name, with what prepares it as its job, in the name of the pool's
 * owner. The pool's record is written with it: of two that make one at once, one has to look again.
 */
import { isRetryable, MusterError } from "../error.ts";
import { create } from "../launch/create.ts";
import { edgeOf, inNameOf } from "../launch/in-name-of.ts";
import type * as Launch from "../launch/launch.ts";
import { hasWork } from "../launch/request.ts";
import { type Write, WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { amend, insert, type Stored } from "../record.ts";
import { failed } from "./failure.ts";
import { preparing } from "./launch.ts";
import { isReady, membersOf, noun } from "./member.ts";
import * as Pool from "./pool.ts";

/** Members that are being made at a time: so many machines may be lost on a setup that is broken. */
const AT_ONCE = 10;

/** Somebody else has changed the pool meanwhile. */
class Moved extends Error {}

/** How many more may be made now. While nothing but failures is known, one at a time. */
function room(pool: Pool.Pool, members: number, making: number, now: number): number {
  if (pool.retryAt !== undefined && pool.retryAt > now) return 0;
  return Math.max(0, Math.min(pool.size - members, (pool.failures > 0 ? 1 : AT_ONCE) - making));
}

/** @returns whether one was made, and there may be more to make. */
export async function make(world: World, ref: Pool.PoolRef): Promise<boolean> {
  const pool = await Pool.find(world.table, ref.workspace, ref.name);
  if (pool === undefined || pool.leaving) return false;
  const members = await membersOf(world.table, pool);
  const making = members.filter(member => !isReady(member, pool)).length;
  if (room(pool, members.length, making, world.clock.now()) === 0) return false;
  try {
    const actor = await inNameOf(world, pool, `pool '${pool.name}' makes machines`);
    const launch = await preparing(world, pool);
    // Nobody stops or ends it but its pool, and whoever takes it.
    await create(
      edgeOf(world, "a pool"),
      actor,
      { ...launch, idle: "never", shared: false },
      made => counted(world, pool, launch, made),
      pool.name,
    );
    return true;
  } catch (error) {
    if (error instanceof Moved) throw new WriteConflict([{ key: Pool.noun.key(pool), expected: pool.version }]);
    if (!(error instanceof MusterError) || !isSettled(error)) throw error;
    await world.table.write(failed(world, pool, { code: error.code, message: error.message }));
    return false;
  }
}

/** Whether it would come to the same at once: then it is told, and tried again later. */
const isSettled = (error: MusterError): boolean =>
  error.code === "no_capacity" || !(isRetryable(error) || error.code === "internal");

/** What is written with the cluster. @throws Moved */
async function counted(
  world: World,
  before: Stored<Pool.Pool>,
  launch: Launch.Create,
  { cluster, job }: Launch.Info,
): Promise<readonly Write[]> {
  const pool = await Pool.find(world.table, before.workspace, before.name);
  if (pool?.version !== before.version) throw new Moved();
  const { workspace, name, revision } = pool;
  const member = {
    ...{ workspace, pool: name, clusterId: cluster.id, revision, createdAt: world.clock.now() },
    ...(hasWork(launch) && job && { jobId: job.id }),
  };
  const { next, write } = amend<Pool.Pool>(Pool.noun, pool, { made: pool.made + 1 });
  const event = Pool.eventOf(world, { id: pool.owner }, next, "made", { clusterId: cluster.id });
  return [write, insert(noun, member), event];
}
