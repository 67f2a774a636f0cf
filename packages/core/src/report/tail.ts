/** The end of a job's log, as others may read it: hosts have hidden in it what is secret before they sent it. */

import type * as Job from "../job/job.ts";
import { listOf } from "../log/chunks.ts";
import { back, seek } from "../log/seek.ts";
import type { Blobs } from "../ports/blobs.ts";
import { lastLines, printable } from "./plain.ts";

/** How much of the log is read, in bytes: sequences that control a terminal may be half of it. */
const READ = 65_536;
/** How much of it is told. */
const TOLD = { lines: 50, letters: 16_000 };

type Part = { readonly blobs: Pick<Blobs, "list" | "get"> };

/** Of what the job's first node printed in its last try; undefined when that is nothing, or when it has had no try. */
export async function tailOf(world: Part, workspace: string, job: Job.Info): Promise<string | undefined> {
  if (job.fence === undefined || job.runs !== undefined) return undefined;
  const list = listOf(world, { workspace, jobId: job.id, fence: job.fence, rank: 0 });
  const own: typeof list = async (from, limit) =>
    (await list(from, limit)).map(head => (isOwn(head.phase) ? head : { ...head, size: 0 }));
  const end = await seek(list, () => false);
  const heads = await own(await back(own, 0, end, READ), 1000);
  const parts = await Promise.all(lastOf(heads).map(head => world.blobs.get(head.key)));
  const decoder = new TextDecoder();
  // A character that is cut in two where reading begins is in a line that is left out, or shows as such.
  const text = parts.map(part => decoder.decode(part ?? new Uint8Array(), { stream: true })).join("");
  const told = lastLines(printable(text.slice(-READ)), TOLD);
  return told.trim() === "" ? undefined : told;
}

/** What the agent has to say of itself is of use to those who look after it. */
const isOwn = (phase: string): boolean => phase !== "muster" && phase !== "hooks";

/** Those at the end that hold as much as is read. */
function lastOf<H extends { readonly size: number }>(heads: readonly H[]): H[] {
  const room = { left: READ };
  const wanted = heads.filter(head => head.size > 0);
  const first = wanted.findLastIndex(head => {
    room.left -= head.size;
    return room.left <= 0;
  });
  return wanted.slice(Math.max(0, first));
}
