/** Attempts: one node's part in one try of a job. A row is written when the node first reports; until then it is `assigned`. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import { fieldsOf, type Noun, type Stored, UNWRITTEN } from "../record.ts";
import { Endpoint } from "../task/service.ts";
import { life } from "./life.ts";

/** What made a node's part end. */
export const Cause = z.enum([
  "exited",
  "setup_failed",
  "cancelled",
  "timed_out",
  "inputs_failed",
  "start_failed",
  /** The port at which its nodes were to meet: the next try has another. */
  "port_taken",
  "host_lost",
  "interrupted",
  "gpus_missing",
  "container_failed",
]);
export type Cause = z.infer<typeof Cause>;

const base = {
  id: z.string(),
  workspace: z.string(),
  jobId: z.string(),
  clusterId: z.string(),
  hostId: z.string(),
  fence: z.number().int(),
  /** The job's rank, not the host's. */
  rank: z.number().int(),
  createdAt: z.number(),
  changedAt: z.number(),
};
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const Attempt = z.discriminatedUnion("state", [
  variant("assigned", {}),
  variant("preparing", {}),
  variant("running", { endpoints: z.array(Endpoint).optional() }),
  variant("exited", {
    cause: Cause,
    exitCode: z.number().int().optional(),
    message: z.string().optional(),
    /** Log chunks that were sent. */
    chunks: z.number().int(),
    logsComplete: z.boolean(),
    gpuPeaks: z.array(z.number()).optional(),
    outputs: z.object({ files: z.number().int(), bytes: z.number(), failed: z.number().int() }).optional(),
  }),
  variant("lost", { cause: Cause }),
  variant("revoked", {}),
]);
export type Attempt = z.infer<typeof Attempt>;
export type Exited = Extract<Attempt, { state: "exited" }>;

export const noun: Noun<Attempt> = {
  type: "attempt",
  schema: Attempt,
  fields: fieldsOf(Attempt),
  key: record => Keys.attempt(record.workspace, record.jobId, record.fence, record.rank),
  indexes: () => ({}),
};
export const kind = { noun, life };

/** An attempt is assigned by its slot; it has no row of its own until its host reports, or is given up. */
export const assigned = (
  of: Pick<Attempt, "workspace" | "jobId" | "clusterId" | "hostId" | "fence" | "rank">,
  now: number,
): Stored<Attempt> => ({
  id: `${of.jobId}/${of.fence}/${of.rank}`,
  workspace: of.workspace,
  jobId: of.jobId,
  clusterId: of.clusterId,
  hostId: of.hostId,
  fence: of.fence,
  rank: of.rank,
  createdAt: now,
  changedAt: now,
  state: "assigned",
  version: UNWRITTEN,
  rest: {},
});

/** Where a node's log chunks lie: `<seq>.<phase>` under this. */
export const logPrefix = (workspace: string, jobId: string, fence: number, rank: number): string =>
  `${jobLogPrefix(workspace, jobId)}${pad(fence, 8)}/${pad(rank, 5)}/`;
export const jobLogPrefix = (workspace: string, jobId: string): string => `logs/${workspace}/${jobId}/`;
export const chunkKey = (prefix: string, sequence: number, phase: string): string =>
  `${prefix}${pad(sequence, 9)}.${phase}`;

const pad = (value: number, width: number): string => String(value).padStart(width, "0");
