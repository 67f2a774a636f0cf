/** What a job has kept, node by node, page by page, read from the manifests. */
import type { Actor } from "../actor/actor.ts";
import * as Attempt from "../attempt/attempt.ts";
import * as Checkpoint from "../checkpoint/checkpoint.ts";
import { MusterError } from "../error.ts";
import * as Job from "../job/job.ts";
import { find } from "../job/read.ts";
import * as Keys from "../keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { read } from "../record.ts";
import { type Entry, readEnd, readPart } from "./manifest.ts";
import * as Output from "./output.ts";

type Part = { readonly table: Table; readonly clock: Clock; readonly blobs: Blobs };

/** How long a file's URL is good, in ms. */
const READABLE = 3_600_000;
/** A page is full when it has so many files; a part of a manifest is never cut, and has no more than 500. */
const ENOUGH = 500;
/** Blobs that are read for one page. */
const MOST_READS = 48;

/** Where a page ended: which part of which node's manifest comes next. */
interface Position {
  readonly fence: number;
  readonly rank: number;
  readonly part: number;
}

/** Where a node's manifest lies, and what its keys are relative to. */
interface Source {
  readonly fence: number;
  readonly list: string;
  readonly root: string;
}

/**
 * The files that a job has kept. URLs are good for an hour.
 * @throws MusterError `not_found` for a try that there was not; `invalid_request` for a cursor that is none.
 */
export async function list(world: Part, actor: Actor, id: string, query: Output.Query): Promise<Output.Page> {
  const job = await find(world, actor, id);
  const from = readCursor(query.cursor) ?? {
    fence: await fenceOf(world, job, query.attempt),
    rank: query.rank ?? 0,
    part: 0,
  };
  return new Walk(world, job, query, from).page();
}

class Walk {
  readonly #world: Part;
  readonly #job: Job.Job;
  readonly #query: Output.Query;
  readonly #from: Position;
  readonly #items: Output.Artifact[] = [];
  readonly #nodes: Output.Node[] = [];
  #reads = 0;

  constructor(world: Part, job: Job.Job, query: Output.Query, from: Position) {
    this.#world = world;
    this.#job = job;
    this.#query = query;
    this.#from = from;
  }

  async page(): Promise<Output.Page> {
    const { fence, rank: first } = this.#from;
    const { rank: only } = this.#query;
    const last = only ?? this.#job.nodes - 1;
    const rows = this.#query.checkpoint ? undefined : await rowsOf(this.#world, this.#job, fence);
    for (let rank = first; rank <= last; rank++) {
      const part = rank === first ? this.#from.part : 0;
      if (this.#isFull()) return this.#ended({ fence, rank, part });
      const row = rows?.get(rank);
      if (rows !== undefined && row === undefined) continue;
      const next = await this.#node({ fence, rank, part }, row);
      if (next !== undefined) return this.#ended(next);
    }
    return this.#ended(undefined);
  }

  #isFull(): boolean {
    return this.#items.length >= ENOUGH || this.#reads >= MOST_READS;
  }

  #ended(next: Position | undefined): Output.Page {
    const cursor = next && [next.fence, next.rank, next.part].join(".");
    return { items: this.#items, nodes: this.#nodes, ...(cursor !== undefined && { cursor }) };
  }

  /** Takes what the page has room for. @returns where the next page goes on, when that is within this node */
  async #node(at: Position, row: Attempt.Attempt | undefined): Promise<Position | undefined> {
    const source = await this.#source(at);
    if (source === undefined) return undefined;
    this.#reads++;
    const end = await readEnd(this.#world.blobs, source.list);
    if (at.part === 0) await this.#tell(source, at.rank, end, row);
    for (let part = at.part; part < (end?.parts ?? Number.POSITIVE_INFINITY); part++) {
      if (this.#isFull()) return { ...at, part };
      this.#reads++;
      const entries = await readPart(this.#world.blobs, source.list, part, source.root);
      if (entries === undefined) break;
      for (const entry of entries) this.#items.push(await this.#artifact(entry, source.fence, at.rank));
    }
    return undefined;
  }

  async #source({ fence, rank }: Position): Promise<Source | undefined> {
    const { workspace, id } = this.#job;
    if (!this.#query.checkpoint) {
      const root = Output.prefixOf(workspace, id, fence, rank);
      return { fence, root, list: Output.listOf(root) };
    }
    const root = Checkpoint.rootOf(workspace, id, rank);
    this.#reads += 2;
    const [last] = await Checkpoint.newest(this.#world.blobs, root, 1, fence + 1);
    return last && { fence: last.fence, root, list: Checkpoint.listOf(root, last) };
  }

  async #tell(
    source: Source,
    rank: number,
    end: Awaited<ReturnType<typeof readEnd>>,
    row: Attempt.Attempt | undefined,
  ): Promise<void> {
    const { files = 0, bytes = 0, failed = 0 } = end ?? {};
    const node = { rank, fence: source.fence, files, bytes, failed };
    if (end !== undefined) return void this.#nodes.push({ ...node, state: "complete" });
    // Of a node that goes on, they come when it ends. One that was lost may have had none.
    const isOver = row === undefined || Attempt.kind.life.isTerminal(row.state);
    if (isOver && !(await this.#hasFiles(source))) return;
    this.#nodes.push({ ...node, state: isOver ? "incomplete" : "pending" });
  }

  async #hasFiles({ root }: Source): Promise<boolean> {
    this.#reads++;
    return (await this.#world.blobs.list(Output.filesOf(root), { limit: 1 })).length > 0;
  }

  async #artifact({ pieces, ...entry }: Entry, fence: number, rank: number): Promise<Output.Artifact> {
    const until = this.#world.clock.now() + READABLE;
    const parts = pieces.map(async ({ key, size }) => ({ url: await this.#world.blobs.signedGet(key, until), size }));
    return { ...entry, fence, rank, parts: await Promise.all(parts) };
  }
}

/** Nodes of this try that may have kept something, or may yet. */
async function rowsOf(world: Part, job: Job.Job, fence: number): Promise<Map<number, Attempt.Attempt>> {
  const rows = new Map<number, Attempt.Attempt>();
  for await (const row of attempts(world, job, Keys.attemptPrefix(fence)))
    if (row.state !== "exited" || row.outputs !== undefined) rows.set(row.rank, row);
  return rows;
}

async function* attempts(world: Part, job: Job.Job, prefix: string): AsyncGenerator<Attempt.Attempt> {
  const { pk } = Keys.job(job.workspace, job.id);
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ pk, prefix, limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const item of page.items) yield read(Attempt.noun, item);
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** The fence of the n-th try that began, or of the last one. */
async function fenceOf(world: Part, job: Job.Job, attempt: number | undefined): Promise<number> {
  if (attempt === undefined) return lastFence(world, job);
  const fences = new Set<number>();
  for await (const { fence } of attempts(world, job, Keys.ATTEMPTS)) {
    fences.add(fence);
    if (fences.size === attempt) return fence;
  }
  const tries = `${fences.size} ${fences.size === 1 ? "try" : "tries"}`;
  throw new MusterError("not_found", `job ${job.id} has had ${tries}: there is no attempt ${attempt}`);
}

async function lastFence(world: Part, job: Job.Job): Promise<number> {
  if (Job.isPlaced(job)) return job.fence;
  const { pk } = Keys.job(job.workspace, job.id);
  const { items } = await world.table.query({ pk, prefix: Keys.ATTEMPTS, order: "descending", limit: 1 });
  const [item] = items;
  return item === undefined ? 0 : read(Attempt.noun, item).fence;
}

function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, fence = "", rank = "", part = ""] = /^(\d{1,15})\.(\d{1,5})\.(\d{1,6})$/.exec(cursor) ?? [];
  if (fence !== "") return { fence: Number(fence), rank: Number(rank), part: Number(part) };
  throw new MusterError("invalid_request", "this cursor is not valid; start again without it", {
    issues: [{ path: "query.cursor", message: "not a cursor of this list" }],
  });
}
