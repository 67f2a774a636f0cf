/**
 * The reader against random patterns of cut connections: the CLI's own code, the real client and core's own pages over real
 * TCP connections, which a server of this project's making cuts at any byte, while the log grows and its job is tried again.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { client } from "@muster/api/client.ts";
import { logs } from "@muster/core/job/logs.ts";
import { expect } from "vitest";
import { type Chunk, follow, type Pace, readChunk, type Told } from "../../packages/cli/src/follow.ts";
import { ID, Logged, timedBlobs } from "./logged.ts";
import { ADA, testWorld } from "./world.ts";

const PACE: Pace = { busyMs: 0, idleMs: 0, giveUpMs: 60_000 };
const AT_ONCE = 10;

/** Repeatable numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One pattern: a log that grows by a step now and then, as the numbers say. */
class Pattern {
  readonly seed: number;
  readonly job: Logged;
  readonly next: () => number;
  readonly #world: ReturnType<typeof testWorld>;
  #steps: (() => Promise<void>)[] = [];
  cuts = 0;
  /** The latest try when the reader comes. */
  first = 1;

  constructor(seed: number) {
    this.seed = seed;
    this.next = numbers(seed * 7919);
    const made = testWorld();
    this.#world = { ...made, blobs: timedBlobs(made.clock.now).blobs };
    this.job = new Logged(this.#world, 1 + this.#upTo(3));
  }

  #upTo = (most: number): number => Math.floor(this.next() * most);

  async begin(): Promise<void> {
    await this.job.submit();
    const { job } = this;
    const tries = 1 + this.#upTo(3);
    for (let attempt = 1; attempt <= tries; attempt++) {
      if (attempt > 1) this.#steps.push(() => job.lose(), job.requeue);
      this.#steps.push(() => job.place());
      const chunks = this.#upTo(14);
      for (let chunk = 0; chunk < chunks; chunk++) {
        const rank = this.#upTo(job.nodes);
        const text = `${attempt} ${rank} ${chunk} ${"x".repeat(this.#upTo(300))}\n`;
        this.#steps.push(() => job.print(text, { rank }));
      }
    }
    this.#steps.push(() => job.succeed());
    // Some come late.
    for (const step of this.#steps.splice(0, this.#upTo(2) * this.#upTo(20))) await step();
    this.first = Math.max(1, job.attempts);
  }

  async page(query: URLSearchParams): Promise<unknown> {
    const cursor = query.get("cursor") ?? undefined;
    // What has happened since the last look: nothing, or several things. Which try is the latest, the first page says.
    if (cursor !== undefined) for (const step of this.#steps.splice(0, this.#upTo(5))) await step();
    return logs(this.#world, ADA, ID, { follow: false, cursor });
  }

  chunk = async (key: string): Promise<Uint8Array> => (await this.#world.blobs.get(key)) ?? new Uint8Array();
}

const patterns = new Map<string, Pattern>();

/** Follows so many logs to their ends. @returns how many connections were cut on the way */
export async function cutPatterns(count: number): Promise<number> {
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seeds = Array.from({ length: count }, (_, seed) => seed + 1).values();
  const cuts: number[] = [];
  const work = async (): Promise<void> => {
    for (const seed of seeds) cuts.push(await run(seed, endpoint));
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return cuts.reduce((sum, each) => sum + each, 0);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  const token = url.searchParams.get("token") ?? request.headers.authorization?.slice("Bearer ".length) ?? "";
  const pattern = patterns.get(token) as Pattern;
  const body = url.pathname.startsWith("/chunks/")
    ? await pattern.chunk(decodeURIComponent(url.pathname.slice("/chunks/".length)))
    : pageOf(await pattern.page(url.searchParams), url.origin, token);
  const fate = pattern.next();
  if (fate < 0.75) return void response.writeHead(200, headersOf(body)).end(body);
  pattern.cuts++;
  // Chunks are refused when their grants are over; the store has no such answer as a control plane has.
  if (fate < 0.8) return void response.writeHead(503, { "content-type": "application/json" }).end(BUSY);
  if (fate < 0.85) return void request.socket.destroy();
  const half = body.subarray(0, Math.floor(body.length / 2));
  // What is between them and the store may take a part for the whole.
  if (fate < 0.9 && url.pathname.startsWith("/chunks/")) return void response.writeHead(200, headersOf(half)).end(half);
  response.writeHead(200, headersOf(body));
  response.write(body.subarray(0, Math.floor(pattern.next() * body.length)));
  response.socket?.destroySoon();
}

const BUSY = JSON.stringify({ code: "busy", message: "busy", details: {} });
const headersOf = (body: Uint8Array) => ({ "content-type": "application/json", "content-length": body.length });

const pageOf = (page: unknown, endpoint: string, token: string): Buffer =>
  Buffer.from(
    JSON.stringify(page, (key, value) =>
      key === "url"
        ? `${endpoint}/chunks/${encodeURIComponent(String(value).slice("memory:".length))}?token=${token}`
        : value,
    ),
  );

/** Follows a pattern to its end. */
async function run(seed: number, endpoint: string): Promise<number> {
  const pattern = new Pattern(seed);
  const token = `t${seed}`;
  patterns.set(token, pattern);
  await pattern.begin();
  const api = client({ endpoint, token, version: "test", wait: async () => {} });
  const got = new Map<string, string>();
  const order: number[] = [];
  const lines: string[] = [];
  const sink = {
    write: async ({ attempt, rank }: Chunk, bytes: Uint8Array) => {
      order.push(attempt);
      const name = `${attempt}/${rank}`;
      got.set(name, (got.get(name) ?? "") + Buffer.from(bytes));
    },
    tell: async ({ attempt, sequence, text }: Told) => {
      order.push(attempt);
      lines.push(`${attempt} ${sequence} ${text}`);
    },
  };
  const source = {
    page: (cursor: string | undefined) =>
      api.jobs.logs({ params: { job: ID }, query: cursor === undefined ? {} : { cursor } }),
    read: readChunk,
  };
  await follow(source, sink, { follow: true, pace: PACE });
  patterns.delete(token);
  const byName = (map: Map<string, string>) =>
    Object.fromEntries([...map].filter(([name]) => Number.parseInt(name, 10) >= pattern.first).toSorted());
  expect(byName(got), `seed ${seed}`).toEqual(byName(pattern.job.printed));
  expect(order, `seed ${seed}`).toEqual(order.toSorted((one, other) => one - other));
  expect(new Set(lines).size, `seed ${seed}`).toBe(lines.length);
  return pattern.cuts;
}
