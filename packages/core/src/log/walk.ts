/** The chunks of one try, page by page, its nodes in turn. */
import type * as Job from "../job/job.ts";
import type { Blobs } from "../ports/blobs.ts";
import { endOf, type Head, listOf } from "./chunks.ts";
import type { Place } from "./cursor.ts";
import type { Choice } from "./phases.ts";
import { back, seek } from "./seek.ts";

/** Chunks per page, and of those per node, where there are several. */
const PER_PAGE = 500;
const PER_NODE = 200;
/** Nodes that are listed at the same time. */
const AT_ONCE = 16;
/** Some stores round times down to the second. */
const ROUNDING = 999;

export interface Wanted {
  readonly phases: Choice;
  /** Only this node. */
  readonly node?: number | undefined;
}

/** Where to begin. */
export interface Beginning {
  /** Epoch ms: with the first chunk that came home then, or later. */
  readonly since?: number | undefined;
  /** With the last so many bytes of each node. */
  readonly last?: number | undefined;
}

export interface Found extends Head {
  readonly attempt: number;
  readonly fence: number;
  readonly rank: number;
}

export interface Walked {
  readonly found: readonly Found[];
  readonly place: Place;
  /** Whether every node was looked at, and none has more. */
  readonly atEnd: boolean;
}

type Part = { readonly blobs: Pick<Blobs, "list"> };

const ranksOf = (job: Job.Job, { node }: Wanted): readonly number[] =>
  node === undefined ? Array.from({ length: job.nodes }, (_, rank) => rank) : [node];

/** Does this for each of the ranks, some at a time, and says what came of it in their order. */
async function* each<T>(ranks: readonly number[], run: (rank: number) => Promise<T>): AsyncGenerator<T> {
  for (let step = 0; step < ranks.length; step += AT_ONCE)
    yield* await Promise.all(ranks.slice(step, step + AT_ONCE).map(run));
}

/**
 * The place at which a try's log begins, for somebody who wants these phases only, and not more than the end.
 * @returns also the ranks of which there is more ahead of that, and only `last` leaves it out.
 */
export async function enter(
  world: Part,
  job: Job.Job,
  of: { readonly attempt: number; readonly fence: number },
  wanted: Wanted,
  beginning: Beginning,
): Promise<{ place: Place; earlier: number[] }> {
  const next: number[] = Array.from({ length: job.nodes }, () => 0);
  const earlier: number[] = [];
  const begun = each(ranksOf(job, wanted), async rank => ({
    rank,
    ...(await begin(listOf(world, { ...ofNode(job, of.fence), rank }), wanted.phases, beginning)),
  }));
  for await (const { rank, from, at } of begun) {
    next[rank] = at;
    if (at > from) earlier.push(rank);
  }
  return { place: { ...of, told: 0, turn: 0, next }, earlier };
}

const ofNode = (job: Job.Job, fence: number) => ({ workspace: job.workspace, jobId: job.id, fence });

async function begin(
  list: ReturnType<typeof listOf>,
  { first, last: lastPhase, has }: Choice,
  { since, last }: Beginning,
): Promise<{ from: number; at: number }> {
  const isPlain = since === undefined && first <= FIRST;
  const isIn = ({ order, at }: Head) => order >= first && at + ROUNDING >= (since ?? 0);
  const from = isPlain ? 0 : await seek(list, isIn);
  if (last === undefined) return { from, at: from };
  const end = await seek(list, ({ order }) => order > lastPhase);
  // Of what is written at the same time only what is wanted counts.
  const counted: typeof list = async (at, limit) =>
    (await list(at, limit)).map(head => (has(head.phase) ? head : { ...head, size: 0 }));
  return { from, at: await back(counted, from, end, last) };
}

/** The first phase that is stored. */
const FIRST = 1;

/** Takes the nodes in turn, beginning where the last page ended, until the page is full. */
export async function walk(world: Part, job: Job.Job, from: Place, wanted: Wanted): Promise<Walked> {
  const all = ranksOf(job, wanted);
  const begin = Math.max(0, all.indexOf(from.turn));
  const ranks = [...all.slice(begin), ...all.slice(0, begin)];
  const next = Array.from({ length: job.nodes }, (_, rank) => from.next[rank] ?? 0);
  const found: Found[] = [];
  let hasMore = false;
  const share = Math.max(PER_NODE, Math.floor(PER_PAGE / ranks.length));
  const pages = each(ranks, async rank => ({
    rank,
    heads: await listOf(world, { ...ofNode(job, from.fence), rank })(next[rank] ?? 0, share),
  }));
  for await (const { rank, heads } of pages) {
    const fitting = heads.filter(head => wanted.phases.has(head.phase));
    const taken = fitting.slice(0, PER_PAGE - found.length);
    const { attempt, fence } = from;
    found.push(...taken.map(head => ({ ...head, attempt, fence, rank })));
    const isCut = taken.length < fitting.length;
    next[rank] = endOf(isCut ? taken : heads, next[rank] ?? 0);
    // A node that was cut short comes first on the next page; one that had its share comes last.
    const turn = (rank + (isCut ? 0 : 1)) % job.nodes;
    if (found.length >= PER_PAGE) return { found, place: { ...from, turn, next }, atEnd: false };
    hasMore ||= heads.length >= share && (heads.at(-1)?.order ?? 0) <= wanted.phases.last;
  }
  return { found, place: { ...from, next }, atEnd: !hasMore };
}
