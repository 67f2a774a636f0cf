/** Uploads: bytes from a user's machine, kept by their hash, sent once. */
import * as z from "zod";

export const MAX_BYTES = 5_000_000_000;

export const Create = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hex digits"),
  size: z.number().int().min(0).max(MAX_BYTES),
});
export type Create = z.infer<typeof Create>;

export const Info = z.object({
  sha256: z.string(),
  /** True: nothing to send. */
  exists: z.boolean(),
  /** Where to POST the bytes as a form: the fields, then `key`, then `file`. */
  post: z.object({ url: z.string(), fields: z.record(z.string(), z.string()), key: z.string() }).optional(),
});
export type Info = z.infer<typeof Info>;

export const blobKey = (workspace: string, sha256: string): string => `uploads/${workspace}/${sha256}`;
