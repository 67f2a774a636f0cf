/** A job that waits for another which is made in the same transaction, and which nobody could have found yet. */
import type { Waits } from "../job/after.ts";
import * as Keys from "../keys.ts";

/** @param first id of the other, which must succeed */
export const behind = (workspace: string, waits: Waits | undefined, first: string): Waits => ({
  after: [...(waits?.after ?? []), { job: first, on: "success" }],
  held: waits?.held ?? false,
  isVain: waits?.isVain ?? false,
  writes: jobId => [
    ...(waits?.writes(jobId) ?? []),
    { put: { ...Keys.next(workspace, first, jobId), type: "next", data: { jobId } }, expect: "absent" },
  ],
});
