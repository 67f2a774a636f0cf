/** A maintainer's word: from then on the commit may be run, and what has waited for that is looked at once more. */
import type { Actor } from "../actor/actor.ts";
import { commit as commitWrites, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Delivery from "../hook/delivery.ts";
import * as Hook from "../hook/hook.ts";
import { again } from "../hook/replay.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import * as Approval from "./approval.ts";

/**
 * Approves of the commit that a delivery is about.
 * @throws MusterError `not_found`; `conflict` for a delivery that does not wait for an approval.
 */
export const approve = (world: Basics, actor: Actor, reference: string, id: string): Promise<Delivery.Info> =>
  retrying(async () => {
    const hook = await Hook.get(world.table, actor.workspace, reference);
    const delivery = await Delivery.get(world.table, hook, id);
    const approval = await ofDelivery(world, hook, delivery);
    if (approval === undefined)
      throw new MusterError("conflict", `delivery ${id} does not wait for an approval`, {
        hint: `see what became of it: muster hooks deliveries ${hook.name}`,
      });
    const reopened = await reopening(world, approval);
    const info = Delivery.info(reopened.find(one => one.next.id === id)?.next ?? delivery);
    await commitWrites(world, actor, writesOf(world, actor, approval, reopened), info);
    return info;
  });

/**
 * Approves of a commit in the name of somebody at the forge, who has been asked about there.
 * @returns whether anything has waited for it
 */
export const approveCommit = (world: Basics, actor: Actor, commit: Approval.Commit): Promise<boolean> =>
  retrying(async () => {
    const approval = await Approval.find(world.table, commit);
    if (approval === undefined) return false;
    const writes = writesOf(world, actor, approval, await reopening(world, approval));
    if (writes.length > 0) await world.table.write(writes);
    return true;
  });

async function ofDelivery(world: Basics, hook: Hook.Hook, { repository, sha }: Delivery.Delivery) {
  if (repository === undefined || sha === undefined) return undefined;
  return Approval.find(world.table, Approval.commitOf(hook, { repository, sha }));
}

type Reopened = ReturnType<typeof again>;

/** Those that still wait; of one that was looked at since, or is gone, nothing. */
async function reopening(world: Basics, { workspace, waiting, approvedAt }: Approval.Approval): Promise<Reopened[]> {
  if (approvedAt !== undefined) return [];
  const found = await Promise.all(waiting.map(id => Delivery.find(world.table, workspace, id)));
  return found.flatMap(delivery => (delivery?.outcome === "held" ? [again(world, delivery)] : []));
}

/** None when it was approved before: the first word counts. */
function writesOf(
  world: Basics,
  actor: Actor,
  approval: Stored<Approval.Approval>,
  reopened: readonly Reopened[],
): Write[] {
  if (approval.approvedAt !== undefined) return [];
  const at = world.clock.now();
  const { write } = amend(Approval.noun, approval, { approvedAt: at, approvedBy: actor.id, waiting: [] });
  const { hookId, repository, sha, pull, sender } = approval;
  const event = Event.draft(Keys.hook(approval.workspace, hookId), actor, {
    ...{ id: Id.create(world.random, "event"), at, subject: hookId, kind: "hook.approved" },
    details: { repository, sha, sender, ...(pull !== undefined && { pull }) },
  });
  return [write, { put: event, expect: "absent" }, ...reopened.map(one => one.write)];
}
