/** What a task takes along to its hosts: its working folder, files, buckets, and what is to be installed. */
import * as z from "zod";

/** SHA-256 of an upload, hex. */
const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A folder: gzipped tar archives, all of which are unpacked into it. None is empty. */
export const Packs = z.array(Hash).min(1).max(1000);
export type Packs = z.infer<typeof Packs>;

const CONTROL = /\p{Cc}/u;

/** Where something is put: absolute, under `~` (the job's HOME), or in the working folder. */
export const Place = z
  .string()
  .min(1)
  .max(1024)
  .refine(path => !CONTROL.test(path), "must not have control characters")
  .refine(path => !path.split("/").includes(".."), "must not have '..' in it")
  .refine(path => !/^~[^/]/.test(path), "only ~ itself is known, no other user's home");

/** A user's name that is so long is a token. */
const CREDENTIALS = /:\/\/(?:[^/?#@]*:[^/?#@]*|[^/?#@]{20,})@/;

/** A task stands in the table as it is, for all of its workspace to read. */
const withoutPassword = [
  (text: string) => !CREDENTIALS.test(text),
  "must not have a password in it: give it as the secret GIT_TOKEN",
] as const;

/** A git repository as the working folder. A secret or variable GIT_TOKEN is its password. */
export const Git = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(2048)
    .refine(...withoutPassword),
  /** Branch, tag or commit; absent: the repository's default branch. */
  ref: z.string().min(1).max(256).optional(),
});
export type Git = z.infer<typeof Git>;

/** How a bucket comes to a path: copied before the job begins, or mounted while it runs. */
export const BucketMode = z.enum(["copy", "mount", "mount_cached"]);
export type BucketMode = z.infer<typeof BucketMode>;

/** An S3 bucket, or what lies under a prefix of its keys. */
export const BucketSource = z
  .string()
  .max(1024)
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/s, "must be a bucket such as s3://name/path");

export const Mount = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("file"),
    path: Place,
    upload: Hash,
    /** Permission bits, such as 0o600. */
    mode: z.number().int().min(0).max(0o777).optional(),
  }),
  z.strictObject({ kind: z.literal("folder"), path: Place, packs: Packs }),
  z.strictObject({ kind: z.literal("bucket"), path: Place, source: BucketSource, mode: BucketMode }),
]);
export type Mount = z.infer<typeof Mount>;

/**
 * What is installed on a host before setup, unless it was the last list that was. `source` is what the installer takes: a
 * requirement (`torch==2.4`), a folder in the working folder or under `~`, or a git repository.
 */
export const Package = z.strictObject({
  method: z.enum(["pip", "conda", "reqs", "local"]),
  source: z
    .string()
    .min(1)
    .max(2048)
    .refine(...withoutPassword),
  /** Options of the installer, such as `--index-url`. */
  args: z
    .array(
      z
        .string()
        .max(1024)
        .refine(text => !CREDENTIALS.test(text), "must not have a password in it: give PIP_INDEX_URL as a secret"),
    )
    .max(50)
    .default([]),
  /** Branch, tag or commit of a git repository. */
  revision: z.string().min(1).max(256).optional(),
});
export type Package = z.infer<typeof Package>;
