/** The canonical task: what every task file, of whatever dialect, is read into, and what the API takes. */
import * as z from "zod";
import { tooLarge } from "../secret/text.ts";

/** A name that is safe in a path, a tag, a host name and a URL. */
export const Name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i,
    "use letters, digits, '.', '_' and '-', 63 at most, no sign at either end",
  );
export type Name = z.infer<typeof Name>;

/** POSIX's form of an environment variable's name. */
export const EnvName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "use letters, digits and '_', not starting with a digit");

/** Which launcher's rules the file was written for; it decides how scripts go on after a failing line. */
export const Dialect = z.enum(["muster", "skypilot", "oumi"]);
export type Dialect = z.infer<typeof Dialect>;

/** Entries that one map of a task may have. */
const MOST_ENTRIES = 500;
const fewEnough = [
  (entries: Readonly<Record<string, string>>) => Object.keys(entries).length <= MOST_ENTRIES,
  `at most ${MOST_ENTRIES} entries`,
] as const;

/** What the machine must have. Empty means: whatever is cheapest, or what is there. */
export const Resources = z.strictObject({
  /** Name of a provider of this control plane, such as `local`. Absent: the only one, or the default. */
  provider: z.string().max(63).optional(),
  /** Accelerator name to count per host, such as `{ A100: 4 }`. More than one entry: any of them will do. */
  accelerators: z.record(z.string().max(63), z.number().positive().max(1024)).optional(),
  /** vCPUs per host; `atLeast` when the file said "4+". */
  cpus: z.strictObject({ count: z.number().positive().max(4096), atLeast: z.boolean() }).optional(),
  /** GiB per host. */
  memory: z.strictObject({ gib: z.number().positive().max(65_536), atLeast: z.boolean() }).optional(),
  instanceType: z.string().max(63).optional(),
  region: z.string().max(63).optional(),
  zone: z.string().max(63).optional(),
  spot: z.boolean().optional(),
  /** With `spot`: machines on demand will do where no spot capacity is left. */
  spotFallback: z.boolean().optional(),
  /** Most US dollars per host and hour. */
  maxHourly: z.number().positive().max(100_000).optional(),
  /** Id of a capacity reservation or capacity block of the account. */
  reservation: z.string().max(63).optional(),
  /** Hosts close to each other, for jobs whose nodes talk much. */
  placementGroup: z.boolean().optional(),
  /** Network adapters that bypass the kernel (AWS: Elastic Fabric Adapter). */
  efa: z.boolean().optional(),
  /** GB of the root disk. */
  diskSize: z.number().int().positive().max(65_536).optional(),
  diskTier: z.string().max(16).optional(),
  image: z.string().max(512).optional(),
  ports: z.array(z.string().max(11)).max(100).optional(),
  labels: z
    .record(z.string().max(128), z.string().max(256))
    .refine(...fewEnough)
    .optional(),
});
export type Resources = z.infer<typeof Resources>;

/** A file that the client read and uploaded; the host puts it at `path` (`~` is the job's HOME). */
export const Mount = z.strictObject({
  path: z.string().min(1).max(1024),
  /** Upload that holds it: a tar archive (folder) or the file's bytes. */
  upload: z.string().regex(/^[0-9a-f]{64}$/),
  kind: z.enum(["file", "folder"]),
  /** Permission bits of a file, such as 0o600. */
  mode: z.number().int().min(0).max(0o777).optional(),
});
export type Mount = z.infer<typeof Mount>;

/** Bytes of a task as JSON: it is stored as one item, of which DynamoDB takes 400 KB. */
export const MOST_BYTES = 300_000;

const fields = z.strictObject({
  name: Name.optional(),
  dialect: Dialect.default("muster"),
  resources: Resources.default({}),
  /** Hosts that the job runs on, all at once. */
  nodes: z.number().int().min(1).max(1024).default(1),
  /** Upload (SHA-256, hex) of the working folder as a gzipped tar archive. */
  workdir: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Runs once per host for each distinct text, before the first job that brings it. */
  setup: z.string().max(200_000).optional(),
  run: z.string().max(200_000).optional(),
  envs: z
    .record(EnvName, z.string().max(32_768))
    .refine(...fewEnough)
    .default({}),
  /** Like envs, but never shown, masked in what Muster prints, and kept apart from the task while the job lives. */
  secrets: z
    .record(EnvName, z.string().max(32_768))
    .refine(...fewEnough)
    .superRefine((secrets, context) => {
      const message = tooLarge(secrets);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .default({}),
  mounts: z.array(Mount).max(200).default([]),
  /** Seconds that the job may run, setup included. */
  timeout: z.number().int().positive().max(31_536_000).optional(),
});

export const Task = fields.superRefine((task, context) => {
  const bytes = bytesOf(task);
  if (bytes <= MOST_BYTES) return;
  const [largest] = Object.entries(task).toSorted(([, a], [, b]) => bytesOf(b) - bytesOf(a));
  const size = `the task has ${kilobytes(bytes)} KB, ${kilobytes(MOST_BYTES)} at most`;
  context.addIssue({
    code: "custom",
    path: largest === undefined ? [] : [largest[0]],
    message: `${size}, and this is its largest part: put what is large into a file of workdir or file_mounts`,
  });
});
const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value) ?? "").length;
const kilobytes = (bytes: number): number => Math.ceil(bytes / 1000);
/** A task as the system holds it: defaults filled in. */
export type Task = z.infer<typeof Task>;
/** A task as a client may send it. */
export type TaskInput = z.input<typeof Task>;
