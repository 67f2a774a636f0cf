/** Blobs: logs, uploads and results, by key. Clients and hosts read and write them straight, under grants that expire. */

/** Permission to POST any number of objects under a prefix, as a browser form (S3's POST policy). */
export interface PostPolicy {
  readonly url: string;
  /** Form fields to send before `key` and `file`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly prefix: string;
  /** Largest object, in bytes. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly expiresAt: number;
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
  postPolicy(grant: {
    readonly prefix: string;
    readonly maxBytes: number;
    readonly expiresAt: number;
  }): Promise<PostPolicy>;
  /** A URL that reads this one blob until `expiresAt` (epoch ms). */
  signedGet(key: string, expiresAt: number): Promise<string>;
}
