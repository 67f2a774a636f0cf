/** Blobs: logs, uploads and results, by key. Clients and hosts read and write them straight, under grants that expire. */

/** Permission to POST objects as a browser form (S3's POST policy): any number under a prefix, or certain bytes as one. */
export interface PostPolicy {
  readonly url: string;
  /** Form fields to send before `key` and `file`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Ends with a slash; with `sha256` it is the whole key. */
  readonly prefix: string;
  /** Largest object, in bytes. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** Of the only bytes that may be posted, as hex. */
  readonly sha256?: string;
}

export interface BlobHead {
  readonly key: string;
  readonly size: number;
  /** Epoch ms of the last write. */
  readonly writtenAt: number;
}

export interface Blobs {
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  head(key: string): Promise<BlobHead | undefined>;
  /** Strong; keys in ascending order, from after `after`. `limit` is 1000 when absent. */
  list(prefix: string, options?: { readonly after?: string; readonly limit?: number }): Promise<readonly BlobHead[]>;
  /** Removes at most one blob; absent is success. */
  remove(key: string): Promise<void>;
  /**
   * With `sha256`, `prefix` is the exact key, and other bytes than those are refused before they take anyone's place (on
   * S3: the condition on `x-amz-checksum-sha256`).
   * @throws MusterError `invalid_request` for a prefix that ends without a slash and has no `sha256`: it would be the
   * beginning of keys of others.
   */
  postPolicy(grant: Omit<PostPolicy, "url" | "fields">): Promise<PostPolicy>;
  /** A URL that reads this one blob until `expiresAt` (epoch ms). */
  signedGet(key: string, expiresAt: number): Promise<string>;
}
