/** The canonical task: what every task file, of whatever dialect, is read into, and what the API takes. */
import * as z from "zod";
import { tooLarge } from "../secret/text.ts";
import { Container } from "./container.ts";
import { EnvName } from "./env-name.ts";
import { Git, Mount, Package, Packs, Place } from "./inputs.ts";
import { fewEnough, Resources } from "./resources.ts";
import { Retry } from "./retry.ts";
import { Service } from "./service.ts";
import { Runs } from "./sweep.ts";

export { EnvName } from "./env-name.ts";
export { Mount } from "./inputs.ts";
export { Resources } from "./resources.ts";

/** A name that is safe in a path, a tag, a host name and a URL. */
export const Name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i,
    "use letters, digits, '.', '_' and '-', 63 at most, no sign at either end",
  );
export type Name = z.infer<typeof Name>;

/**
 * What a script does after a line that failed: it stops there, as Muster's own do, or goes on to the next, as scripts that
 * were written for other launchers expect.
 */
export const OnError = z.enum(["stop", "continue"]);
export type OnError = z.infer<typeof OnError>;

/** Bytes of a task as JSON: it is stored as one item, of which DynamoDB takes 400 KB. */
export const MOST_BYTES = 300_000;

/** A job's record holds them: few and short. */
export const Labels = z
  .record(
    z.string().regex(/^[A-Za-z0-9][\w./-]{0,62}$/, "use letters, digits, '_', '.', '/' and '-', 63 at most"),
    z.string().max(63),
  )
  .refine(labels => Object.keys(labels).length <= 8, "at most 8 labels");

const fields = z.strictObject({
  name: Name.optional(),
  onError: OnError.default("stop"),
  resources: Resources.default({}),
  /** Hosts that the job runs on, all at once. */
  nodes: z.number().int().min(1).max(1024).default(1),
  /** The working folder: uploaded, or a git repository that each host clones. */
  workdir: z.union([z.strictObject({ packs: Packs }), Git]).optional(),
  packages: z.array(Package).max(100).default([]),
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
  /** Names of the workspace's secrets that the job sees as variables of these names. */
  storedSecrets: z.array(EnvName).max(100).default([]),
  /** Files that are secrets: place on the host to their bytes, in base64. Only their owner may read them (0600). */
  secretFiles: z.record(Place, z.base64().max(16_384)).default({}),
  mounts: z.array(Mount).max(200).default([]),
  /** Seconds that each try may run, setup included. */
  timeout: z.number().int().positive().max(31_536_000).optional(),
  /** Seconds that the job may wait for its first try. */
  queueTimeout: z.number().int().positive().max(31_536_000).optional(),
  retry: Retry.optional(),
  /** Words of the user's own to find the job by. */
  labels: Labels.optional(),
  /** Setup and run take place in it. */
  container: Container.optional(),
  /** Many runs of this task instead of one. */
  runs: Runs.optional(),
  /** Folders and files that are kept when a try ends, however it does. */
  outputs: z.array(Place).min(1).max(20).optional(),
  /** A folder that the next try finds as this one left it, on whatever host. */
  checkpoint: Place.optional(),
  /** Whether a Ray cluster spans the job's hosts before run begins. */
  ray: z.boolean().optional(),
  /** Servers beside the job, on its first host. */
  services: z
    .array(Service)
    .min(1)
    .max(10)
    .refine(all => new Set(all.map(({ name }) => name)).size === all.length, "two services have one name")
    .optional(),
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
