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
/** Chunks per page, and of those per node. */
const PER_PAGE = 500;
const PER_NODE = 200;
/** Nodes that are listed at the same time. */
const AT_ONCE = 16;

/** Where a page ended. It is of one try: the next one's log begins at its start. */
interface Position {
  readonly fence: number;
  /** The rank that the next page begins with: one that writes much must not hide the others. */
  readonly turn: number;
  /** Sequence number of the next chunk, by rank; 0 where there is none. */
  readonly next: readonly number[];
}

type Part = { readonly table: Table; readonly clock: Clock; readonly blobs: Blobs };

/**
 * The next chunks of a job's log. Each node's chunks are in order; nodes take turns when there is more than fits a page.
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
  const { fence = 0, placement = [] } = "fence" in job ? job : {};
  const from = position.fence === fence ? position : { fence, turn: 0, next: [] };
  const walked = await walk(world, job, from, placement.length);
  const until = world.clock.now() + READABLE;
  return {
    chunks: await Promise.all(
      walked.found.map(async ({ key, ...chunk }) => ({ ...chunk, url: await world.blobs.signedGet(key, until) })),
    ),
    cursor: writeCursor(walked.position),
    done: Job.isOver(job) && walked.atEnd,
  };
}

type Found = Omit<z.infer<typeof Chunk>, "url"> & { readonly key: string };

interface Walked {
  readonly found: readonly Found[];
  readonly position: Position;
  /** Whether every node was looked at, and none has more. */
  readonly atEnd: boolean;
}

/** Takes the nodes in turn, beginning where the last page ended, until the page is full. */
async function walk(world: Part, job: Job.Job, from: Position, nodes: number): Promise<Walked> {
  const ranks = Array.from({ length: nodes }, (_, step) => (from.turn + step) % nodes);
  const next = ranks.map((_, rank) => from.next[rank] ?? 0);
  const found: Found[] = [];
  let hasMore = false;
  for await (const { rank, page } of pagesOf(world, job, from.fence, ranks, next)) {
    const taken = page.slice(0, PER_PAGE - found.length);
    found.push(...taken);
    next[rank] = (taken.at(-1)?.sequence ?? (next[rank] ?? 0) - 1) + 1;
    // A node that was cut short comes first on the next page; one that had its share comes last.
    const turn = (rank + (taken.length < page.length ? 0 : 1)) % nodes;
    if (found.length >= PER_PAGE) return { found, position: { ...from, turn, next }, atEnd: false };
    hasMore ||= page.length >= PER_NODE;
  }
  return { found, position: { ...from, next }, atEnd: !hasMore };
}

/** What each of these ranks has next, some ranks at a time. */
async function* pagesOf(
  world: Part,
  job: Job.Job,
  fence: number,
  ranks: readonly number[],
  next: readonly number[],
): AsyncGenerator<{ readonly rank: number; readonly page: readonly Found[] }> {
  for (let step = 0; step < ranks.length; step += AT_ONCE) {
    const batch = ranks.slice(step, step + AT_ONCE);
    yield* await Promise.all(
      batch.map(async rank => ({ rank, page: await list(world, job, { fence, rank }, next[rank] ?? 0) })),
    );
  }
}

/** The next chunks of one node. */
async function list(
  world: Part,
  job: Job.Job,
  node: { readonly fence: number; readonly rank: number },
  from: number,
): Promise<Found[]> {
  const prefix = Attempt.logPrefix(job.workspace, job.id, node.fence, node.rank);
  // `~` sorts after every phase, so this is the place right behind chunk `from - 1`.
  const after = from === 0 ? undefined : Attempt.chunkKey(prefix, from - 1, "~");
  const heads = await world.blobs.list(prefix, { limit: PER_NODE, ...(after !== undefined && { after }) });
  return heads.map(({ key, size }) => {
    const [sequence = "0", phase = ""] = key.slice(prefix.length).split(".");
    return { ...node, sequence: Number(sequence), phase, size, key };
  });
}

/** `<fence>.<turn>.<next>-<next>-…`, in base 36: seven characters a node at most, which at 1,024 nodes stays below 8 KB. */
function writeCursor({ fence, turn, next }: Position): string {
  const places = next.slice(0, next.findLastIndex(place => place > 0) + 1);
  return [fence, turn, places.map(place => place.toString(36)).join("-")].map(part => part.toString(36)).join(".");
}

function readCursor(cursor: string | undefined): Position {
  if (cursor === undefined) return { fence: 0, turn: 0, next: [] };
  const match = /^([0-9a-z]{1,6})\.([0-9a-z]{1,3})\.((?:[0-9a-z]{1,6}(?:-[0-9a-z]{1,6})*)?)$/.exec(cursor);
  if (match === null)
    throw new MusterError("invalid_request", "this log cursor is not valid; start again without it", {
      issues: [{ path: "query.cursor", message: "not a cursor of this list" }],
    });
  const [, fence = "", turn = "", places = ""] = match;
  const next = places === "" ? [] : places.split("-").map(place => Number.parseInt(place, 36));
  return { fence: Number.parseInt(fence, 36), turn: Number.parseInt(turn, 36), next };
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
