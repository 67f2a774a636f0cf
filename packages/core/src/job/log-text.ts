/** One node's log as text, from any place in it: for readers that poll, and keep nothing but a number. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { slice, whole } from "../log/bytes.ts";
import { type List, listOf } from "../log/chunks.ts";
import { fenceOf } from "../log/tries.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Table } from "../ports/table.ts";
import * as Job from "./job.ts";
import { LogFilter, wantedOf } from "./logs.ts";
import { find } from "./read.ts";

const MOST_BYTES = 1_000_000;

export const LogTextQuery = LogFilter.extend({
  offset: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: "Bytes of the node's log that were read before" }),
  limit: z.coerce.number().int().min(4).max(MOST_BYTES).default(65_536).meta({ description: "The most bytes to read" }),
});

export const LogText = z.object({
  text: z.string(),
  nextOffset: z.number().int().meta({ description: "Where to go on" }),
  status: z.enum(["queued", "running", "completed"]),
  done: z.boolean().meta({ description: "The job has ended, and so has its log" }),
});
export type LogText = z.infer<typeof LogText>;

type Part = { readonly table: Table; readonly blobs: Blobs };

/**
 * Bytes of UTF-8 count, of all phases that are wanted together; no character is cut in two. Of node 0 when none is named, and
 * of the latest try. To count them takes a list for each thousand chunks ahead of the offset.
 * @throws MusterError `not_found`; `invalid_request` for a node or a try that the job does not have.
 */
export async function logText(
  world: Part,
  actor: Actor,
  id: string,
  { attempt, node = 0, phase, offset, limit }: z.infer<typeof LogTextQuery>,
): Promise<LogText> {
  const job = await find(world, actor, id);
  const { phases } = wantedOf(job, { attempt, node, phase });
  const fence = await fenceOf(world, job, attempt ?? job.attempts);
  const list = fence === undefined ? NONE : listOf(world, { workspace: job.workspace, jobId: id, fence, rank: node });
  const found = await slice(world.blobs, list, phases, { offset, limit });
  const done = Job.isOver(job) && found.atEnd;
  const bytes = done ? found.bytes : whole(found.bytes);
  return { text: new TextDecoder().decode(bytes), nextOffset: offset + bytes.length, status: statusOf(job), done };
}

const NONE: List = async () => [];

function statusOf(job: Job.Job): LogText["status"] {
  if (Job.isOver(job)) return "completed";
  return Job.isPlaced(job) ? "running" : "queued";
}
