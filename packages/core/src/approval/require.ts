/** Whether a stranger's commit may be run, and waiting until it may. */
import type { Origin } from "../forge/origin.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table, Write } from "../ports/table.ts";
import { amend, insert } from "../record.ts";
import * as Approval from "./approval.ts";

type Hook = { readonly workspace: string; readonly id: string };

/** Whether a maintainer has approved of this very commit, for this hook. */
export async function isApproved(
  world: { readonly table: Table },
  hook: Hook,
  origin: Pick<Origin, "repository" | "sha">,
): Promise<boolean> {
  const approval = await Approval.find(world.table, Approval.commitOf(hook, origin));
  return approval?.approvedAt !== undefined;
}

/**
 * The write by which a delivery waits for the approval of its commit: for the transaction that holds it. Read anew each time.
 * @returns undefined when it has been approved meanwhile: nothing is to be held
 */
export async function waits(
  world: { readonly table: Table; readonly clock: Clock },
  hook: Hook,
  origin: Pick<Origin, "repository" | "sha" | "pull" | "sender">,
  deliveryId: string,
): Promise<Write | undefined> {
  const commit = Approval.commitOf(hook, origin);
  const before = await Approval.find(world.table, commit);
  if (before?.approvedAt !== undefined) return undefined;
  const waiting = [...new Set([...(before?.waiting ?? []), deliveryId])].slice(-Approval.MOST_WAITING);
  if (before !== undefined) return amend(Approval.noun, before, { waiting }).write;
  const { pull, sender } = origin;
  return insert(Approval.noun, {
    ...commit,
    ...(pull !== undefined && { pull }),
    ...{ sender, waiting, createdAt: world.clock.now() },
  });
}

/** What is told of a delivery that waits. */
export const reasonOf = ({ sha }: Pick<Origin, "sha">): string =>
  `waits for a maintainer: it is a stranger's commit. Comment: ${Approval.commandFor(sha)}`;
