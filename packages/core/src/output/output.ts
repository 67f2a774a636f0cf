/** Outputs: what a job's try leaves behind in the folders that its task names, kept file by file. */
import * as z from "zod";
import { Entry } from "./manifest.ts";

/** Largest blob that a form may bring: S3 takes no larger one. */
export const MAX_BLOB = 5_000_000_000;

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** Where everything lies that one node has kept in one try. */
export const prefixOf = (workspace: string, jobId: string, fence: number, rank: number): string =>
  `outputs/${workspace}/${jobId}/${pad(fence, 8)}/${pad(rank, 5)}/`;
/** Below that, its manifest. */
export const listOf = (prefix: string): string => `${prefix}list/`;
/** Below that, its files. */
export const filesOf = (prefix: string): string => `${prefix}files/`;

export const Artifact = Entry.omit({ pieces: true }).extend({
  /** Which node of the job it is from. */
  rank: z.number().int(),
  /** Which try of the job it is from. */
  fence: z.number().int(),
  parts: z
    .array(z.object({ url: z.string(), size: z.number().int() }))
    .meta({ description: "Reads its bytes, one part after the other, for some minutes" }),
});
export type Artifact = z.infer<typeof Artifact>;

/** What became of one node's outputs: on their way, all there, or cut short when the machine was lost. */
export const Node = z.object({
  rank: z.number().int(),
  fence: z.number().int(),
  state: z.enum(["pending", "complete", "incomplete"]),
  files: z.number().int(),
  bytes: z.number(),
  failed: z.number().int().meta({ description: "Files that could not be kept" }),
});
export type Node = z.infer<typeof Node>;

export const Query = z.object({
  cursor: z.string().max(64).optional(),
  checkpoint: z.stringbool().default(false).meta({ description: "What the checkpoint holds, in place of the outputs" }),
  rank: z.coerce.number().int().min(0).max(99_999).optional().meta({ description: "Only of this node" }),
  attempt: z.coerce.number().int().min(1).optional().meta({ description: "Which try, from 1; the last, when absent" }),
});
export type Query = z.infer<typeof Query>;

export const Page = z.object({
  items: z.array(Artifact),
  cursor: z.string().optional().meta({ description: "Absent on the last page" }),
  nodes: z
    .array(Node)
    .meta({ description: "Of the nodes that this page begins: how much there is, and whether it is all" }),
});
export type Page = z.infer<typeof Page>;
