/** The last lines of each node's log, without reading what is ahead of them. */
import type { LogPage } from "@muster/core/job/logs.ts";
import type { Chunk, Source } from "./follow.ts";

const LF = 0x0a;

/** What is asked for first, in bytes: a guess, of which only the chunks that are needed are read. */
const LEAST = 16_384;
const PER_LINE = 160;
/** When that was not enough. */
const GROWTH = 8;
/** Bytes that are kept once they were read to count their lines; the rest is read again to be shown. */
const MOST_KEPT = 64_000_000;
/** Nodes that are read at the same time. */
const AT_ONCE = 16;

export interface Tailable extends Source {
  /** The first page when only the last so many bytes of each node are wanted. */
  last(bytes: number): Promise<LogPage>;
}

/** The source, but for all that is ahead of the last `lines` of each node. */
export function tail(source: Tailable, lines: number): Source {
  const kept = new Map<string, Uint8Array>();
  const size = { kept: 0 };
  const read = async (chunk: Chunk): Promise<Uint8Array> => {
    const name = `${chunk.attempt}/${chunk.rank}/${chunk.sequence}`;
    const bytes = kept.get(name) ?? (await source.read(chunk));
    if (kept.has(name) || size.kept > MOST_KEPT) return bytes;
    kept.set(name, bytes);
    size.kept += bytes.length;
    return bytes;
  };
  const skipped = new Map<Chunk, number>();
  return {
    page: cursor => (cursor === undefined ? lastPage(source, read, lines, skipped) : source.page(cursor)),
    read: async chunk => {
      const skip = skipped.get(chunk);
      return skip === undefined ? source.read(chunk) : (await read(chunk)).subarray(skip);
    },
  };
}

type Read = (chunk: Chunk) => Promise<Uint8Array>;

async function lastPage(source: Tailable, read: Read, lines: number, skipped: Map<Chunk, number>): Promise<LogPage> {
  for (let bytes = Math.max(LEAST, lines * PER_LINE); ; bytes *= GROWTH) {
    const page = await collect(source, bytes);
    const chunks = await trim(page, read, lines, skipped);
    if (chunks !== undefined) return { ...page, chunks };
  }
}

/** All that is there now of the latest try, as one page. */
async function collect(source: Tailable, bytes: number): Promise<LogPage> {
  const first = await source.last(bytes);
  const chunks = [...first.chunks];
  let page = first;
  while (page.hasMore && page.provision.length === 0) {
    page = await source.page(page.cursor);
    chunks.push(...page.chunks);
  }
  return { ...page, chunks, ...(first.earlier !== undefined && { earlier: first.earlier }) };
}

/** The chunks that hold the last lines of each node, in their order; undefined when a node has more lines ahead of them. */
async function trim(
  page: LogPage,
  read: Read,
  lines: number,
  skipped: Map<Chunk, number>,
): Promise<Chunk[] | undefined> {
  skipped.clear();
  const nodes = [...Map.groupBy(page.chunks, chunk => chunk.rank)];
  for (let step = 0; step < nodes.length; step += AT_ONCE) {
    const found = nodes.slice(step, step + AT_ONCE).map(async ([rank, chunks]) => {
      const isWhole = await trimNode(chunks, read, lines, skipped);
      return isWhole || page.earlier?.includes(rank) !== true;
    });
    if ((await Promise.all(found)).includes(false)) return undefined;
  }
  return page.chunks.filter(chunk => skipped.has(chunk));
}

/** Goes back chunk by chunk. @returns whether the lines are all there. */
async function trimNode(
  chunks: readonly Chunk[],
  read: Read,
  lines: number,
  skipped: Map<Chunk, number>,
): Promise<boolean> {
  let missing: number | undefined;
  for (const chunk of chunks.toReversed()) {
    const bytes = await read(chunk);
    // The line end that ends the last line begins none.
    missing ??= bytes.at(-1) === LF ? lines + 1 : lines;
    const start = startOf(bytes, missing);
    if (start.missing === 0) {
      if (start.at < bytes.length) skipped.set(chunk, start.at);
      return true;
    }
    missing = start.missing;
    skipped.set(chunk, 0);
  }
  return false;
}

/** Behind which line end the text begins, counted from its end; and how many line ends are still missing. */
function startOf(bytes: Uint8Array, ends: number): { at: number; missing: number } {
  let at = bytes.length;
  for (let missing = ends; missing > 0; missing--) {
    const end = at === 0 ? -1 : bytes.lastIndexOf(LF, at - 1);
    if (end < 0) return { at: 0, missing };
    at = end;
  }
  return { at: ends === 0 ? bytes.length : at + 1, missing: 0 };
}
