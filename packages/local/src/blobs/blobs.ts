/** The Blobs port on files, and the edge through which grants are used: what S3 itself does on AWS. */
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { MusterError } from "@muster/core/error.ts";
import type { BlobHead, Blobs } from "@muster/core/ports/blobs.ts";
import type { Clock, Digest } from "@muster/core/ports/ports.ts";
import { allowed } from "./allowed.ts";
import { type Content, createFiles, type Files } from "./files.ts";
import { type Fields, type Grant, readPolicy, readRead, signPolicy, signRead } from "./grants.ts";
import { checkKey } from "./keys.ts";

export interface BlobsOptions {
  readonly folder: string;
  readonly digest: Digest;
  readonly clock: Clock;
  /** Where the local server listens, without a slash at its end. A function, for it is known only once it does. */
  readonly base: () => string;
}

/** A blob that a signed URL opened. Its bytes stay as they are even if the blob is replaced or removed meanwhile. */
export interface OpenBlob {
  readonly key: string;
  readonly size: number;
  /** Bytes from `start` to `end`, inclusive. To be called once, or else `close`. */
  stream(start: number, end: number): ReadableStream<Uint8Array>;
  close(): Promise<void>;
}

export interface BlobEdge {
  /** What the fields of a form allow for this key. @throws MusterError `unauthenticated`, `forbidden`, `invalid_request` */
  grant(fields: Fields, key: string): Grant;
  /** Stores what a form brought. @throws MusterError as `grant`, and `too_large`; `invalid_request` for other bytes */
  accept(fields: Fields, key: string, content: Content): Promise<void>;
  /**
   * Opens what a signed URL names.
   * @param path below `/blobs/`, still encoded
   * @throws MusterError `unauthenticated`, `forbidden`, `not_found`, `invalid_request`
   */
  open(path: string, query: URLSearchParams): Promise<OpenBlob>;
}

const MAX_PAGE = 1000;

export function openBlobs(options: BlobsOptions): { readonly blobs: Blobs; readonly edge: BlobEdge } {
  const files = createFiles(options.folder, options.clock);
  return { blobs: port(options, files), edge: edge(options, files) };
}

function port({ digest, base }: BlobsOptions, files: Files): Blobs {
  return {
    put: async (key, bytes) => files.put(checked(key), bytes),
    get: async key => files.get(checked(key)),
    head: async key => files.head(checked(key)),
    remove: async key => files.remove(checked(key)),
    list: async (prefix, { after = "", limit = MAX_PAGE } = {}) => {
      checkPage(prefix, after, limit);
      return take(files.list(prefix, after), limit);
    },
    postPolicy: async grant => ({ url: `${base()}/blobs`, fields: signPolicy(digest, grant), ...grant }),
    signedGet: async (key, expiresAt) => `${base()}/blobs/${signRead(digest, checked(key), expiresAt)}`,
  };
}

function edge({ digest, clock }: BlobsOptions, files: Files): BlobEdge {
  const grant = (fields: Fields, key: string) => readPolicy(digest, fields, key, clock.now());
  return {
    grant,
    accept: async (fields, key, content) => files.put(key, allowed(content, grant(fields, key))),
    open: async (path, query) => openBlob(files, readRead(digest, path, query, clock.now())),
  };
}

function checked(key: string): string {
  checkKey(key);
  return key;
}

function checkPage(prefix: string, after: string, limit: number): void {
  if (!prefix.isWellFormed() || !after.isWellFormed())
    throw new MusterError("invalid_request", "a bound of a list is not well-formed text");
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE))
    throw new MusterError("invalid_request", `a page has 1 to ${MAX_PAGE} blobs, not ${limit}`);
}

async function take(heads: AsyncIterable<BlobHead>, limit: number): Promise<readonly BlobHead[]> {
  const taken: BlobHead[] = [];
  for await (const head of heads) {
    taken.push(head);
    if (taken.length === limit) break;
  }
  return taken;
}

async function openBlob(files: Files, key: string): Promise<OpenBlob> {
  const handle = await files.open(key);
  if (handle === undefined) throw new MusterError("not_found", `there is no blob ${key}`);
  const { size } = await handle.stat();
  return {
    key,
    size,
    stream: (start, end) => streamOf(handle, start, end),
    close: () => handle.close(),
  };
}

/** Closes the handle at its end. An empty file has no last byte to name. */
const streamOf = (handle: FileHandle, start: number, end: number): ReadableStream<Uint8Array> =>
  Readable.toWeb(handle.createReadStream({ start, end: Math.max(start, end) }));
