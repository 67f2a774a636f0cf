/** Which queued jobs start now, and where: a pure decision over the queue and the slots. */
import { free, type Slot } from "../cluster/slots.ts";
import type { Queued } from "./submit.ts";

export interface Placement {
  readonly jobId: string;
  /** Ranks of the cluster's hosts, in the order of the job's own ranks. */
  readonly ranks: readonly number[];
}

/**
 * The head of the queue, when enough hosts are free for all its nodes at once; undefined while it must wait. Strictly in
 * order: nothing overtakes the head, so that a wide job is never starved by narrow ones.
 */
export function placeHead(queue: readonly Queued[], slots: readonly Slot[]): Placement | undefined {
  const head = queue[0];
  if (head === undefined) return undefined;
  const ranks = free(slots).map(slot => slot.rank);
  return ranks.length < head.nodes ? undefined : { jobId: head.jobId, ranks: ranks.slice(0, head.nodes) };
}
