/** A job's log: numbered chunks per try and node, read straight from the blob store. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import * as Attempt from "../attempt/attempt.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import { type Table, WriteConflict } from "../ports/table.ts";
import * as Job from "./job.ts";
import { find } from "./read.ts";

export const Chunk = z.object({
  fence: z.number().int(),
  rank: z.number().int(),
  sequence: z.number().int(),
  /** `setup`, `run`, or `muster` for what the agent itself has to say. */
  phase: z.string(),
  size: z.number().int(),
  /** Reads the chunk's bytes, for some minutes, with no further credentials. */
  url: z.string(),
});

export const LogPage = z.object({
  chunks: z.array(Chunk),
  /** Where to go on. */
  cursor: z.string(),
  /** True: the job has ended and this page holds the last of its log. */
  done: z.boolean(),
});
export type LogPage = z.infer<typeof LogPage>;

/** How long one request to follow keeps the hosts shipping at once, in ms, and when it is renewed. */
const FOLLOW = 60_000;
const RENEW = 20_000;
/** How long a chunk's URL is good, in ms. */
const READABLE = 900_000;
/** Chunks per node and page. */
const PER_NODE = 200;

/** Sequence number of the next chunk, by `<fence>/<rank>`. */
const Position = z.record(z.string(), z.number().int());

type Part = { readonly table: Table; readonly clock: Clock; readonly blobs: Blobs };

/**
 * The next chunks of a job's log. Each node's chunks are in order; nodes are read side by side.
 * @throws MusterError `invalid_request` for a cursor that is none.
 */
export async function logs(
  world: Part,
  actor: Actor,
  id: string,
  request: { readonly cursor?: string | undefined; readonly follow: boolean },
): Promise<LogPage> {
  // The job is read before its chunks: when it had ended by then, all its chunks were there.
  const job = await find(world, actor, id);
  if (request.follow && !Job.isOver(job)) await askToFollow(world, job);
  const position = readCursor(request.cursor);
  const nodes =
    "fence" in job && job.fence !== undefined
      ? (job.placement ?? []).map((_, rank) => ({ fence: job.fence ?? 0, rank }))
      : [];
  const pages = await Promise.all(
    nodes.map(node => chunksOf(world, job, node, position[`${node.fence}/${node.rank}`] ?? 0)),
  );
  for (const last of pages.flatMap(page => page.at(-1) ?? []))
    position[`${last.fence}/${last.rank}`] = last.sequence + 1;
  return {
    chunks: pages.flat(),
    cursor: btoa(JSON.stringify(position)),
    done: Job.isOver(job) && pages.every(page => page.length < PER_NODE),
  };
}

async function chunksOf(
  world: Part,
  job: Job.Job,
  node: { readonly fence: number; readonly rank: number },
  from: number,
): Promise<z.infer<typeof Chunk>[]> {
  const prefix = Attempt.logPrefix(job.workspace, job.id, node.fence, node.rank);
  // `~` sorts after every phase, so this is the place right behind chunk `from - 1`.
  const after = from === 0 ? undefined : Attempt.chunkKey(prefix, from - 1, "~");
  const heads = await world.blobs.list(prefix, { limit: PER_NODE, ...(after !== undefined && { after }) });
  const until = world.clock.now() + READABLE;
  return Promise.all(
    heads.map(async head => {
      const [sequence = "0", phase = ""] = head.key.slice(prefix.length).split(".");
      return {
        ...node,
        sequence: Number(sequence),
        phase,
        size: head.size,
        url: await world.blobs.signedGet(head.key, until),
      };
    }),
  );
}

function readCursor(cursor: string | undefined): z.infer<typeof Position> {
  if (cursor === undefined) return {};
  try {
    return Position.parse(JSON.parse(atob(cursor)));
  } catch (error) {
    throw new MusterError(
      "invalid_request",
      "this log cursor is not valid; start again without it",
      { issues: [{ path: "query.cursor", message: "not a cursor of this list" }] },
      error,
    );
  }
}

const Follow = z.object({ until: z.number() });

async function askToFollow(world: Part, job: Job.Job): Promise<void> {
  const key = Keys.follow(job.workspace, job.id);
  const before = await world.table.get(key);
  const now = world.clock.now();
  if (before && Follow.parse(before.data).until > now + RENEW) return;
  const ranks = Job.isPlaced(job) ? job.placement : [];
  const put = {
    ...key,
    type: "follow",
    data: { until: now + FOLLOW, workspace: job.workspace, clusterId: job.clusterId, ranks },
    expiresAt: now + 24 * FOLLOW,
  };
  await world.table.write([{ put, expect: before?.version ?? "absent" }]).catch(error => {
    // Somebody else has just asked the same.
    if (!(error instanceof WriteConflict)) throw error;
  });
}

/** Epoch ms until which somebody follows the job's log; undefined when nobody does. */
export async function followedUntil(
  world: { readonly table: Table; readonly clock: Clock },
  job: Job.Job,
): Promise<number | undefined> {
  const item = await world.table.get(Keys.follow(job.workspace, job.id));
  const until = item && Follow.parse(item.data).until;
  return until !== undefined && until > world.clock.now() ? until : undefined;
}
