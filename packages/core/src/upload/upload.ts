/** Uploads: bytes from a user's machine, kept by their hash, sent once. */
import * as z from "zod";

export const MAX_BYTES = 5_000_000_000;
/** Uploads that one call asks for. */
export const MOST_ITEMS = 200;

export const Item = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hex digits"),
  size: z.number().int().min(0).max(MAX_BYTES),
});
export type Item = z.infer<typeof Item>;

export const Create = z.strictObject({ items: z.array(Item).min(1).max(MOST_ITEMS) });
export type Create = z.infer<typeof Create>;

export const Info = z.object({
  sha256: z.string(),
  /** True: nothing to send. */
  exists: z.boolean(),
  /** Where to POST the bytes as a form: the fields, then `key`, then `file`. */
  post: z.object({ url: z.string(), fields: z.record(z.string(), z.string()), key: z.string() }).optional(),
});
export type Info = z.infer<typeof Info>;

/** One for each item that was asked for, in the same order. */
export const Created = z.object({ items: z.array(Info) });
export type Created = z.infer<typeof Created>;

export const blobKey = (workspace: string, sha256: string): string => `uploads/${workspace}/${sha256}`;
