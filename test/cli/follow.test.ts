/**
 * Following a log, and uploads: the CLI's own code and the real client against HTTP servers in this process, which
 * answer late, break off and hang up. They are of this project's making: what they do not do is not proved here.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { describe, expect, test } from "vitest";
import { type Chunk, follow, type Pace, readChunk, type Source } from "../../packages/cli/src/follow.ts";
import { post } from "../../packages/cli/src/inputs/post.ts";
import { cutPatterns } from "../support/cuts.ts";

const PACE: Pace = { busyMs: 1, idleMs: 2, giveUpMs: 10_000 };
const HANG_UP = Symbol("hang up");

interface Server extends AsyncDisposable {
  readonly url: string;
}

async function serve(handler: RequestListener): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const PAGE = { chunks: [], provision: [], cursor: "0", hasMore: false, done: false };

type Fault = "none" | "hang_up" | "half" | "busy" | "gone";

/** A control plane with one job's log, which grows by two chunks with each page that is asked for. */
class LogPlane {
  readonly chunks: readonly Buffer[];
  readonly #pageSize: number;
  readonly #nextFault: () => Fault;
  #pages = 0;

  constructor(chunks: readonly Buffer[], pageSize: number, nextFault: () => Fault = () => "none") {
    this.chunks = chunks;
    this.#pageSize = pageSize;
    this.#nextFault = nextFault;
  }

  readonly handler: RequestListener = (request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const fault = this.#nextFault();
    if (fault === "hang_up") request.socket.destroy();
    else if (fault === "busy") answer(response, 503, { code: "busy", message: "busy", details: {} });
    else if (url.pathname.startsWith("/chunks/")) this.#chunk(Number(url.pathname.slice(8)), fault, response);
    else this.#page(url, response);
  };

  #chunk(index: number, fault: Fault, response: ServerResponse): void {
    const bytes = this.chunks[index] ?? Buffer.alloc(0);
    if (fault === "gone") {
      answer(response, 403, { message: "expired" });
      return;
    }
    response.writeHead(200, { "content-length": bytes.length });
    if (fault !== "half") {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, bytes.length / 2));
    response.socket?.destroySoon();
  }

  #page(url: URL, response: ServerResponse): void {
    this.#pages += 1;
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const there = Math.min(this.#pages * 2, this.chunks.length);
    const to = Math.max(from, Math.min(from + this.#pageSize, there));
    const chunks = this.chunks.slice(from, to).map((bytes, index) => ({
      ...{ attempt: 1, fence: 1, rank: 0, sequence: from + index, phase: "run", size: bytes.length, at: 0 },
      url: `${url.origin}/chunks/${from + index}`,
    }));
    const done = to === this.chunks.length;
    answer(response, 200, { chunks, provision: [], cursor: String(to), hasMore: to < there, done });
  }
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Repeatable numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const source = (url: string): Source => {
  const api = client({ endpoint: url, token: "t", version: "test", wait: async () => {} });
  return {
    page: cursor => api.jobs.logs({ params: { job: "job_x" }, query: { follow: "true", ...(cursor && { cursor }) } }),
    read: chunk => readChunk(chunk),
  };
};

async function copy(plane: LogPlane, options: { follow: boolean } = { follow: true }) {
  await using server = await serve(plane.handler);
  const parts: Uint8Array[] = [];
  const notices: string[] = [];
  const sink = {
    write: async (_: unknown, bytes: Uint8Array) => void parts.push(bytes),
    notice: (text: string) => void notices.push(text),
  };
  await follow(source(server.url), sink, { ...options, pace: PACE });
  return { log: Buffer.concat(parts), notices };
}

const lines = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => Buffer.from(`line ${index}\n`));

describe("following a log", () => {
  test("every chunk once, in order, to the end", async () => {
    const chunks = lines(40);
    expect((await copy(new LogPlane(chunks, 3))).log).toEqual(Buffer.concat(chunks));
  });

  test("without following, what is there and no more", async () => {
    const plane = new LogPlane(lines(200), 2);
    const { log } = await copy(plane, { follow: false });
    expect(Buffer.concat(plane.chunks).subarray(0, log.length)).toEqual(log);
    expect(log.length).toBeGreaterThan(0);
  });

  test("no gap and no doubled line, wherever the connection breaks", async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const next = numbers(seed);
      const faults = ["hang_up", "half", "busy", "gone"] as const;
      const plane = new LogPlane(lines(30), 4, () =>
        next() < 0.4 ? (faults[Math.floor(next() * faults.length)] ?? "none") : "none",
      );
      expect((await copy(plane)).log.toString(), `seed ${seed}`).toBe(Buffer.concat(plane.chunks).toString());
    }
  });

  test("whatever is cut, the same bytes arrive, of every node and try, once and in order", async () => {
    expect(await cutPatterns(40)).toBeGreaterThan(40);
  });

  test("a page that broke, and has room for less of some nodes when it is asked for again, doubles nothing", async () => {
    const chunk = (rank: number, sequence: number) => ({
      ...{ attempt: 1, fence: 1, rank, sequence, phase: "run", size: 2, at: 0, url: "" },
    });
    const [a0, a1, b0, c0] = [chunk(0, 0), chunk(0, 1), chunk(1, 0), chunk(2, 0)];
    const pages = [
      { ...PAGE, chunks: [a0, b0, c0] },
      { ...PAGE, chunks: [a0, a1], cursor: "1", hasMore: true },
      { ...PAGE, chunks: [b0, c0], cursor: "2", done: true },
    ];
    const broken = new Set([c0]);
    const source = {
      page: async () => pages.shift() ?? PAGE,
      read: async (wanted: Chunk) => {
        if (broken.delete(wanted)) throw new MusterError("unavailable", "cut");
        return Buffer.from(`${wanted.rank}${wanted.sequence}`);
      },
    };
    const got: string[] = [];
    const sink = { write: async (_: unknown, bytes: Uint8Array) => void got.push(String(bytes)) };
    await follow(source, sink, { follow: true, pace: PACE });
    expect(got).toEqual(["00", "10", "01", "20"]);
  });

  test("a failure that will not pass ends it at once", async () => {
    await using server = await serve((_, response) =>
      answer(response, 404, { code: "not_found", message: "there is no job 'job_x'", details: {} }),
    );
    const sink = { write: async () => {} };
    await expect(follow(source(server.url), sink, { follow: true, pace: PACE })).rejects.toThrow("there is no job");
  });

  test("one that does not pass in time ends it too, and says so when it begins", async () => {
    await using server = await serve(request => void request.socket.destroy());
    const notices: string[] = [];
    const sink = { write: async () => {}, notice: (text: string) => void notices.push(text) };
    const running = follow(source(server.url), sink, { follow: true, pace: { ...PACE, giveUpMs: 5 } });
    await expect(running).rejects.toThrow(MusterError);
    expect(notices).toEqual(["the log cannot be reached; trying again"]);
  });

  test("a reader that cannot write is the end, and is not taken for a lost connection", async () => {
    await using server = await serve(new LogPlane(lines(3), 3).handler);
    const sink = { write: () => Promise.reject(new Error("disk full")) };
    await expect(follow(source(server.url), sink, { follow: true, pace: PACE })).rejects.toThrow("disk full");
  });

  test("an interrupted one ends at once", async () => {
    const stop = new AbortController();
    await using server = await serve((_, response) => answer(response, 200, PAGE));
    const running = follow(source(server.url), { write: async () => {} }, { follow: true, signal: stop.signal });
    stop.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow();
  });
});

/** Takes forms as a store does; each request is answered by the next behaviour of the list. */
function store(behaviours: (number | typeof HANG_UP)[]) {
  const bodies: Buffer[] = [];
  const handler: RequestListener = (request, response) => {
    const behaviour = behaviours.shift() ?? 204;
    if (behaviour === HANG_UP) {
      request.once("data", () => request.socket.destroy());
      return;
    }
    if (behaviour >= 400) {
      response.writeHead(behaviour, { connection: "close" }).end("<Error>no</Error>");
      return;
    }
    const parts: Buffer[] = [];
    request.on("data", part => parts.push(part));
    request.on("end", () => {
      expect(Number(request.headers["content-length"])).toBe(Buffer.concat(parts).length);
      bodies.push(form(request.headers["content-type"] ?? "", Buffer.concat(parts)));
      response.writeHead(behaviour).end();
    });
  };
  return { handler, bodies };
}

/** The form in a canonical order-preserving notation: `name=value` for fields, the hash for the file. */
function form(type: string, body: Buffer): Buffer {
  const boundary = Buffer.from(`--${type.split("boundary=")[1]}`);
  const fields: string[] = [];
  for (let at = body.indexOf(boundary); ; ) {
    const next = body.indexOf(boundary, at + boundary.length);
    if (next < 0) return Buffer.from(fields.join("\n"));
    const part = body.subarray(at + boundary.length + 2, next - 2);
    const split = part.indexOf("\r\n\r\n");
    const name = /name="([^"]+)"/.exec(part.subarray(0, split).toString())?.[1];
    const value = part.subarray(split + 4);
    fields.push(`${name}=${name === "file" ? createHash("sha256").update(value).digest("hex") : value}`);
    at = next;
  }
}

async function upload(bytes: Buffer, behaviours: (number | typeof HANG_UP)[]) {
  const folder = mkdtempSync(join(tmpdir(), "muster-post-"));
  const file = join(folder, "upload");
  writeFileSync(file, bytes);
  const { handler, bodies } = store(behaviours);
  await using server = await serve(handler);
  const progress: number[] = [];
  try {
    const target = { url: `${server.url}/bucket`, key: "uploads/x", fields: { policy: "p==", "x-sign": "s" } };
    await post(target, { size: bytes.length, read: () => createReadStream(file) }, sent => progress.push(sent), {
      firstPauseMs: 1,
    });
    return { forms: bodies.map(String), progress };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("uploads", () => {
  const bytes = randomBytes(3_000_000);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const wanted = `policy=p==\nx-sign=s\nkey=uploads/x\nfile=${sha256}`;

  test("the fields, then the key, then the file's own bytes, with their length ahead", async () => {
    const { forms, progress } = await upload(bytes, [204]);
    expect(forms).toEqual([wanted]);
    expect(progress.at(-1)).toBe(bytes.length);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  test("an empty file is a file", async () => {
    expect((await upload(Buffer.alloc(0), [204])).forms[0]).toContain("file=e3b0c44298fc1c149afbf4c8996fb924");
  });

  test("a connection that breaks, and a store that is busy, are tried again from the beginning", async () => {
    expect((await upload(bytes, [HANG_UP, 503, 204])).forms).toEqual([wanted]);
  });

  test("a refusal is told at once, with the store's own words", async () => {
    await expect(upload(bytes, [403])).rejects.toThrow(/the upload failed: 403 <Error>no/);
  });

  test("what never works is given up", async () => {
    await expect(upload(Buffer.from("x"), [500, 500, 500, 500])).rejects.toThrow("the upload failed: 500");
  });
});
