/**
 * A store for what jobs leave: the local adapter of blobs, behind a small server that can be told to refuse, to break, and
 * to make uploads wait.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assignment, LogPolicy } from "@muster/core/agent/protocol.ts";
import * as Checkpoint from "@muster/core/checkpoint/checkpoint.ts";
import type { Ask, Given } from "@muster/core/checkpoint/read.ts";
import { type End, type Entry, readEnd, readPart } from "@muster/core/output/manifest.ts";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import { type BlobEdge, openBlobs } from "@muster/local/blobs/blobs.ts";
import { handleBlobRequest } from "@muster/local/blobs/http.ts";
import { passOn } from "@muster/local/http/blobs.ts";
import { createDigest } from "@muster/node/digest.ts";

export class Depot {
  readonly blobs: Blobs;
  readonly #server: Server;
  readonly #edge: BlobEdge;
  readonly #folder: string;
  /** Uploads that were taken. */
  posts = 0;
  /** Uploads that were not. */
  refused = 0;
  /** Instead of taking an upload: a status, or a connection that breaks. */
  fault: number | "cut" | undefined;
  /** After so many uploads the others wait for `open`. */
  room = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  private constructor(server: Server, folder: string) {
    this.#server = server;
    this.#folder = folder;
    const digest = createDigest("a key for tests, 32 bytes or more");
    const opened = openBlobs({ folder, digest, clock: { now: Date.now }, base: () => this.url });
    this.blobs = opened.blobs;
    this.#edge = opened.edge;
  }

  static async open(): Promise<Depot> {
    const server = createServer();
    const depot = new Depot(server, mkdtempSync(join(tmpdir(), "ma-depot-")));
    server.on("request", (request, response) => {
      depot.#serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return depot;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  policy(prefix: string, more: Partial<LogPolicy> = {}): Promise<LogPolicy> {
    return this.blobs.postPolicy({ prefix, maxBytes: 5e9, expiresAt: Date.now() + 3_600_000, ...more });
  }

  async outputs(prefix: string, ...places: string[]): Promise<NonNullable<Assignment["outputs"]>> {
    return { places, policy: await this.policy(prefix) };
  }

  /** A checkpoint of a job's first rank, as its host is told of it. */
  async checkpoint(jobId: string, fence: number, path: string): Promise<NonNullable<Assignment["checkpoint"]>> {
    const [last] = await Checkpoint.newest(this.blobs, Checkpoint.rootOf("w", jobId, 0), 1, fence);
    const policy = await this.policy(Checkpoint.prefixOf("w", jobId, fence, 0));
    return { path, policy, ...(last && { last }) };
  }

  /** What the control plane answers a host that asks for a part. @param lives how long its URLs do, in ms */
  async give({ jobId, from, part }: Ask, lives = 60_000): Promise<Given> {
    const root = Checkpoint.rootOf("w", jobId, 0);
    const list = Checkpoint.listOf(root, from);
    const entries = (await readPart(this.blobs, list, part, root)) ?? [];
    const files = entries.map(async ({ pieces, ...entry }) => ({
      ...entry,
      pieces: await Promise.all(
        pieces.map(async ({ key, size }) => {
          const url = await this.blobs.signedGet(key, Date.now() + lives);
          return { url, key: key.slice(root.length), size };
        }),
      ),
    }));
    return { files: await Promise.all(files), parts: (await readEnd(this.blobs, list))?.parts ?? 0 };
  }

  /** Lets all that wait go on. */
  open(): void {
    this.room = Number.POSITIVE_INFINITY;
    for (const go of this.#waiting.splice(0)) go();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** What a manifest says; its end is missing while it is not whole. */
  async manifest(list: string, root: string): Promise<{ readonly end: End | undefined; readonly entries: Entry[] }> {
    const entries: Entry[] = [];
    for (let part = 0; ; part++) {
      const some = await readPart(this.blobs, list, part, root);
      if (some === undefined) return { end: await readEnd(this.blobs, list), entries };
      entries.push(...some);
    }
  }

  /** The bytes of an entry. */
  async bytes(entry: Entry): Promise<Buffer> {
    const pieces = entry.pieces.map(async ({ key }) => (await this.blobs.get(key)) ?? Buffer.from("absent"));
    return Buffer.concat(await Promise.all(pieces));
  }

  /** Paths to their contents, as text; of links, where they lead. */
  async texts(prefix: string): Promise<Record<string, string>> {
    const { entries } = await this.manifest(`${prefix}list/`, prefix);
    const texts = entries.map(async entry => [entry.path, entry.link ?? (await this.bytes(entry)).toString()] as const);
    return Object.fromEntries(await Promise.all(texts));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { fault } = this;
    if (request.method !== "POST") return passOn(asked => handleBlobRequest(this.#edge, asked), request, response);
    if (fault !== undefined) this.refused++;
    if (fault === "cut") return void request.socket.destroy();
    if (fault !== undefined) return void response.writeHead(fault, { connection: "close" }).end();
    if (this.posts >= this.room) await new Promise<void>(resolve => this.#waiting.push(resolve));
    this.posts++;
    await passOn(asked => handleBlobRequest(this.#edge, asked), request, response);
  }
}
