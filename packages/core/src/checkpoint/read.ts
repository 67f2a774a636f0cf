/** What a host brings back before a try begins, a part at a time: each asking gives URLs that are fresh. */
import * as z from "zod";
import { MusterError } from "../error.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import { Entry, readEnd, readPart } from "../output/manifest.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import { Generation, listOf, rootOf } from "./checkpoint.ts";

/** How long a file's URL is good, in ms. */
const READABLE = 3_600_000;

export const Ask = z.strictObject({
  jobId: z.string().max(64),
  /** Of the try that is to begin. */
  fence: z.number().int(),
  /** What the assignment named. */
  from: Generation.strict(),
  part: z.number().int().min(0).max(100_000),
});
export type Ask = z.infer<typeof Ask>;

export const Given = z.object({
  files: z.array(
    Entry.omit({ pieces: true }).extend({
      pieces: z.array(
        z.object({
          url: z.string(),
          /** By which the next manifest may name it. */
          key: z.string(),
          size: z.number().int(),
        }),
      ),
    }),
  ),
  /** How many parts there are. */
  parts: z.number().int(),
});
export type Given = z.infer<typeof Given>;

/** @throws MusterError `not_found` for a job that is not this host's, and for what is not there any more. */
export async function give(
  world: { readonly table: Table; readonly blobs: Blobs; readonly clock: Clock },
  host: HostActor,
  ask: Ask,
): Promise<Given> {
  const job = await load(world.table, Job.noun, Keys.job(host.workspace, ask.jobId));
  const rank =
    job && Job.isPlaced(job) && job.clusterId === host.clusterId && job.fence === ask.fence
      ? job.placement.indexOf(host.rank)
      : -1;
  if (rank < 0) throw new MusterError("not_found", `job ${ask.jobId} is not this host's`);
  const root = rootOf(host.workspace, ask.jobId, rank);
  const list = listOf(root, ask.from);
  const end = await readEnd(world.blobs, list);
  const entries = end && ask.part < end.parts ? await readPart(world.blobs, list, ask.part, root) : [];
  if (end === undefined || entries === undefined)
    throw new MusterError("not_found", "this state of the checkpoint is not there any more");
  const until = world.clock.now() + READABLE;
  const files = entries.map(async ({ pieces, ...entry }) => ({
    ...entry,
    pieces: await Promise.all(
      pieces.map(async ({ key, size }) => {
        const url = await world.blobs.signedGet(key, until);
        return { url, key: key.slice(root.length), size };
      }),
    ),
  }));
  return { files: await Promise.all(files), parts: end.parts };
}
