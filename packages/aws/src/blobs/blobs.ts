/**
 * The Blobs port on S3.
 *
 * Gotcha: whoever reads needs `s3:ListBucket` too, or S3 answers 403, not 404, for a blob that is not there.
 */
import type { BlobHead, Blobs } from "@muster/core/ports/blobs.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import { ask, type Bucket, pathOf, placeOf, present, readPage, told } from "./bucket.ts";
import { postPolicy, signedGet } from "./grants.ts";
import { checked, checkPage, MAX_PAGE } from "./keys.ts";

export interface BlobsOptions extends Bucket {
  /** What grants are dated by. */
  readonly clock: Clock;
}

/** All verbs @throws MusterError `busy` or `unavailable` when S3 fails. */
export function createBlobs({ clock, ...bucket }: BlobsOptions): Blobs {
  return {
    put: async (key, bytes) => told(put(bucket, checked(key), bytes)),
    get: async key => told(present(get(bucket, checked(key)))),
    head: async key => told(present(head(bucket, checked(key)))),
    list: async (prefix, { after = "", limit = MAX_PAGE } = {}) => {
      checkPage(prefix, after, limit);
      return told(list(bucket, prefix, after, limit));
    },
    remove: async key => told(remove(bucket, checked(key))),
    postPolicy: async grant => postPolicy(bucket, grant, clock.now()),
    signedGet: async (key, expiresAt) => signedGet(bucket, checked(key), expiresAt, clock.now()),
  };
}

const nothing = () => undefined;

const put = (bucket: Bucket, key: string, body: Uint8Array): Promise<void> =>
  ask(bucket, { operation: "PutObject", method: "PUT", path: pathOf(bucket, key), body }, nothing);

const get = (bucket: Bucket, key: string): Promise<Uint8Array> =>
  ask(bucket, { operation: "GetObject", method: "GET", path: pathOf(bucket, key) }, ({ body }) => body);

const remove = (bucket: Bucket, key: string): Promise<void> =>
  ask(bucket, { operation: "DeleteObject", method: "DELETE", path: pathOf(bucket, key) }, nothing);

const head = (bucket: Bucket, key: string): Promise<BlobHead> =>
  ask(bucket, { operation: "HeadObject", method: "HEAD", path: pathOf(bucket, key) }, ({ headers }) => {
    const writtenAt = Date.parse(headers["last-modified"] ?? "");
    const size = Number(headers["content-length"] ?? Number.NaN);
    if (Number.isNaN(size + writtenAt)) throw new Error("the head has no size or no time");
    return { key, size, writtenAt };
  });

/** S3 may cut a page shorter than was asked. */
async function list(bucket: Bucket, prefix: string, after: string, limit: number): Promise<readonly BlobHead[]> {
  const found: BlobHead[] = [];
  for (;;) {
    const from = found.at(-1)?.key ?? after;
    const page = await listOnce(bucket, prefix, from, limit - found.length);
    found.push(...page.heads);
    if (!page.truncated || page.heads.length === 0 || found.length >= limit) return found;
  }
}

function listOnce(bucket: Bucket, prefix: string, after: string, limit: number) {
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    prefix,
    "max-keys": String(limit),
    ...(after !== "" && { "start-after": after }),
  };
  const path = `${placeOf(bucket).base}/`;
  return ask(bucket, { operation: "ListObjectsV2", method: "GET", path, query }, readPage);
}
