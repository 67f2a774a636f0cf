/** A job's log: what led to each try, and the numbered chunks of its nodes, read straight from the blob store. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Cursor from "../log/cursor.ts";
import { askToFollow } from "../log/follow.ts";
import { choose, Phase } from "../log/phases.ts";
import { type Line, provisioning } from "../log/provision.ts";
import { fenceNow, fenceOf } from "../log/tries.ts";
import { type Beginning, enter, type Found, type Wanted, walk } from "../log/walk.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import * as Job from "./job.ts";
import { find } from "./read.ts";

export { followedUntil } from "../log/follow.ts";

export const Chunk = z.object({
  attempt: z.number().int().meta({ description: "Which try of the job, from 1" }),
  fence: z.number().int(),
  rank: z.number().int(),
  sequence: z.number().int(),
  phase: z
    .string()
    .meta({ description: "packages, setup, run, ray, service-NAME, hooks, or muster for what the agent has to say" }),
  size: z.number().int(),
  at: z.number().meta({ description: "Epoch milliseconds at which it came home" }),
  url: z.string().meta({ description: "Reads the chunk's bytes, for some minutes, with no further credentials" }),
});

/** A line of the phase `provision`. */
const Told = z.object({
  attempt: z.number().int().meta({ description: "The try that it led to" }),
  sequence: z.number().int(),
  at: z.number().meta({ description: "Epoch milliseconds" }),
  text: z.string(),
});

export const LogPage = z.object({
  chunks: z.array(Chunk),
  provision: z
    .array(Told)
    .meta({ description: "What leads to the next try, while it has no hosts; it comes after this page's chunks" }),
  cursor: z.string().meta({ description: "Where to go on" }),
  hasMore: z.boolean().meta({ description: "More of the log is there already" }),
  earlier: z
    .array(z.number().int())
    .optional()
    .meta({ description: "Ranks that have written more than `last` asked for, ahead of this page" }),
  done: z.boolean().meta({ description: "The log has ended, and this page holds the last of it" }),
});
export type LogPage = z.infer<typeof LogPage>;

/** The largest count of nodes, lines or bytes that makes sense. */
const LARGEST = 2 ** 40;
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const phases = z
  .string()
  .max(1000)
  .transform(text => text.split(","))
  .pipe(z.array(Phase).min(1));

/** What narrows a log; to be said again with every cursor. */
export const LogFilter = z.object({
  attempt: whole(1, 1_000_000)
    .optional()
    .meta({ description: "Only this try, from 1; absent: the latest, and what follows it" }),
  node: whole(0, 100_000).optional().meta({ description: "Only the node of this rank" }),
  phase: phases.optional().meta({ description: "Only these phases, between commas" }),
});

export const LogQuery = LogFilter.extend({
  cursor: z.string().max(8192).optional(),
  follow: z.stringbool().default(false).meta({ description: "Ask the hosts to ship their output at once" }),
  since: whole(0, LARGEST * 16)
    .optional()
    .meta({ description: "Epoch milliseconds: begin with what came home then. Without a cursor only" }),
  last: whole(1, LARGEST)
    .optional()
    .meta({ description: "Begin with about the last so many bytes of each node. Without a cursor only" }),
});
type LogRequest = Pick<z.infer<typeof LogQuery>, "follow"> & Partial<z.infer<typeof LogQuery>>;

/** How long a chunk's URL is good, in ms. */
const READABLE = 900_000;

type Part = { readonly table: Table; readonly clock: Clock; readonly blobs: Blobs };

/**
 * The next chunks of a job's log. Each node's chunks are in order; nodes take turns when there is more than fits a page. A
 * try's log is told to its end before what comes after it.
 * @throws MusterError `invalid_request` for a cursor that is none, and for a node or a try that the job does not have.
 */
export async function logs(world: Part, actor: Actor, id: string, request: LogRequest): Promise<LogPage> {
  // The job is read before its chunks: when it had ended by then, all its chunks were there.
  const job = await find(world, actor, id);
  const reader: Reader = { world, job, wanted: wantedOf(job, request), attempt: request.attempt };
  if (request.follow && !Job.isOver(job)) await askToFollow(world, job);
  const begun = request.cursor === undefined ? await start(reader, request) : { place: Cursor.read(request.cursor) };
  const { found, lines, place, hasMore } = await read(reader, begun.place);
  const until = world.clock.now() + READABLE;
  return {
    chunks: await Promise.all(
      found.map(async ({ key, order, ...chunk }) => ({ ...chunk, url: await world.blobs.signedGet(key, until) })),
    ),
    provision: [...lines],
    cursor: Cursor.write(place),
    hasMore,
    ...(begun.earlier !== undefined && begun.earlier.length > 0 && { earlier: [...begun.earlier] }),
    done: !hasMore && isComplete(reader),
  };
}

interface Reader {
  readonly world: Part;
  readonly job: Job.Job;
  readonly wanted: Wanted;
  /** Only this try. */
  readonly attempt: number | undefined;
}

/** @throws MusterError `invalid_request` for a node or a try that the job does not have. */
export function wantedOf(job: Job.Job, { node, phase, attempt }: z.infer<typeof LogFilter>): Wanted {
  if (node !== undefined && node >= job.nodes)
    throw invalid("node", `the job has ${job.nodes === 1 ? "one node, 0" : `nodes 0 to ${job.nodes - 1}`}`);
  if (attempt !== undefined && attempt > Math.max(1, job.attempts))
    throw invalid("attempt", `the job has had ${job.attempts} ${job.attempts === 1 ? "try" : "tries"}`);
  return { phases: choose(phase), node };
}

const invalid = (field: string, message: string): MusterError =>
  new MusterError("invalid_request", message, { issues: [{ path: `query.${field}`, message }] });

/** With the latest try when none is named. What led to it is only told while it has no hosts, or when that is asked for. */
async function start(
  reader: Reader,
  { phase, since, last, attempt = Math.max(1, reader.job.attempts) }: LogRequest,
): Promise<{ place: Cursor.Place; earlier?: readonly number[] }> {
  const { world, job, wanted } = reader;
  const fence = await fenceOf(world, job, attempt);
  const before: Cursor.Place = { attempt, fence: 0, told: 0, turn: 0, next: [] };
  if (fence !== undefined && phase?.includes("provision") !== true)
    return enter(world, job, { attempt, fence }, wanted, { since, last });
  if (since === undefined) return { place: before };
  const lines = await provisioning(world, job, attempt);
  return { place: { ...before, told: lines.filter(line => line.at < since).length } };
}

interface Taken {
  readonly found: readonly Found[];
  readonly lines: readonly Line[];
  readonly place: Cursor.Place;
  readonly hasMore: boolean;
}

/** The rest of a try, and what comes after it as far as that is known. A page never holds chunks behind such lines. */
async function read(reader: Reader, from: Cursor.Place): Promise<Taken> {
  if (from.fence === 0) return tell(reader, from, []);
  const { found, place, atEnd } = await walk(reader.world, reader.job, from, reader.wanted);
  if (!atEnd) return { found, lines: [], place, hasMore: true };
  // The try is the last one, as far as anybody knows, or the only one that is wanted.
  const isLast = reader.attempt !== undefined || fenceNow(reader.job) === place.fence;
  if (isLast) return { found, lines: [], place, hasMore: false };
  return tell(reader, { attempt: place.attempt + 1, fence: 0, told: 0, turn: 0, next: [] }, found);
}

/** What leads to a try; when that has its hosts, its log comes next. */
async function tell({ world, job, wanted }: Reader, from: Cursor.Place, found: readonly Found[]): Promise<Taken> {
  const all = wanted.phases.has("provision") ? await provisioning(world, job, from.attempt) : [];
  const lines = all.slice(from.told);
  const fence = await fenceOf(world, job, from.attempt);
  if (fence === undefined) return { found, lines, place: { ...from, told: from.told + lines.length }, hasMore: false };
  const { place } = await enter(world, job, { attempt: from.attempt, fence }, wanted, NOTHING_LEFT_OUT);
  return { found, lines, place, hasMore: true };
}

const NOTHING_LEFT_OUT: Beginning = {};

/** Nothing can come any more: of the whole log, or of the one try that is wanted. */
function isComplete({ job, attempt }: Reader): boolean {
  if (Job.isOver(job)) return true;
  if (attempt === undefined || job.attempts === 0) return false;
  return attempt < job.attempts || fenceNow(job) === undefined;
}
