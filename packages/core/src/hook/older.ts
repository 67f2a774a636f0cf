/** What a rule launched last for a ref: a newer event of that ref takes its place. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { cancel } from "../array/control.ts";
import { remove } from "../cluster/change.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type * as Launch from "../launch/launch.ts";
import type { Item, Write } from "../ports/table.ts";
import type { Outside } from "../ports/world.ts";
import { type Delivery, KEPT, type Result } from "./delivery.ts";
import type { Facts } from "./facts.ts";

const Last = z.object({ deliveryId: z.string(), jobId: z.string(), clusterId: z.string().optional() });

/** A newer event of the same ref was worked off already. */
export class Outdated extends Error {
  readonly deliveryId: string;

  constructor(deliveryId: string) {
    super(`a newer one of the same ref has come: ${deliveryId}`);
    this.deliveryId = deliveryId;
  }
}

/** @param what the rule, by what it is called */
export interface Place {
  readonly delivery: Delivery;
  readonly facts: Facts;
  readonly rule: string;
}

/** What the launch takes the place of, and the write that says so. @throws Outdated */
export async function takePlace(
  world: Pick<Outside, "table" | "clock" | "digest">,
  place: Place,
  { job, cluster, reused }: Launch.Info,
  isOwn: boolean,
): Promise<{ replaces?: NonNullable<Result["replaces"]>; writes: Write[] }> {
  const key = keyOf(world, place);
  if (key === undefined || job === undefined) return { writes: [] };
  const { delivery } = place;
  const item = await world.table.get(key);
  const last = lastOf(item);
  // Whoever replays an older one wants it now.
  if (last !== undefined && last.deliveryId > delivery.id && delivery.round === 0) throw new Outdated(last.deliveryId);
  const isAlone = isOwn && !reused;
  const data = { deliveryId: delivery.id, jobId: job.id, ...(isAlone && { clusterId: cluster.id }) };
  const put = { ...key, type: "hookref", data, expiresAt: world.clock.now() + KEPT };
  return { ...(last && { replaces: last }), writes: [{ put, expect: item?.version ?? "absent" }] };
}

function keyOf({ digest }: Pick<Outside, "digest">, { delivery, facts, rule }: Place) {
  const ref = facts.pull === undefined ? facts.ref : `pull ${facts.pull}`;
  if (ref === undefined) return undefined;
  const what = digest.hash(JSON.stringify([rule, facts.repository ?? "", ref]));
  return Keys.hookRef(delivery.workspace, delivery.hookId, what);
}

const lastOf = (item: Item | undefined): z.infer<typeof Last> | undefined => item && Last.parse(item.data);

/** Ends it, with the cluster that was made for it alone. It may be said twice. */
export async function endOlder(
  world: Pick<Outside, "table" | "clock" | "random">,
  actor: Actor,
  { jobId, clusterId }: NonNullable<Result["replaces"]>,
): Promise<void> {
  await gone(() => cancel(world, actor, jobId));
  if (clusterId !== undefined) await gone(() => remove(world, actor, clusterId));
}

async function gone(end: () => Promise<unknown>): Promise<void> {
  try {
    await end();
  } catch (error) {
    if (!(error instanceof MusterError && error.code === "not_found")) throw error;
  }
}
