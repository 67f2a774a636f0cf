/**
 * Approvals: a maintainer's word that a stranger's commit may be run. It is about that very commit: another one, however
 * small the difference, wants another word.
 */
import * as z from "zod";
import type { Origin } from "../forge/origin.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load, type Noun, type Stored } from "../record.ts";

/** How long it is kept, in ms: longer than what waits for it. */
export const KEPT = 90 * 24 * 3_600_000;

/** Deliveries of one commit that wait; the oldest are left out where there are more. */
export const MOST_WAITING = 20;

export const Approval = z.object({
  workspace: z.string(),
  hookId: z.string(),
  repository: z.string(),
  sha: z.string(),
  pull: z.number().int().optional(),
  /** Who brought it. */
  sender: z.string(),
  /** Ids of deliveries that wait for it. */
  waiting: z.array(z.string()),
  createdAt: z.number(),
  /** Absent: nobody has said so. */
  approvedAt: z.number().optional(),
  approvedBy: z.string().optional(),
});
export type Approval = z.infer<typeof Approval>;

export const noun: Noun<Approval> = {
  type: "approval",
  schema: Approval,
  fields: new Set(Object.keys(Approval.shape)),
  key: record => Keys.approval(record.workspace, record.hookId, record.repository, record.sha),
  indexes: () => ({}),
  expiresAt: record => record.createdAt + KEPT,
};

/** Which commit, of which hook. */
export interface Commit {
  readonly workspace: string;
  readonly hookId: string;
  readonly repository: string;
  readonly sha: string;
}

export const commitOf = (
  { workspace, id }: { readonly workspace: string; readonly id: string },
  { repository, sha }: Pick<Origin, "repository" | "sha">,
): Commit => ({ workspace, hookId: id, repository, sha });

export const find = (
  table: Table,
  { workspace, hookId, repository, sha }: Commit,
): Promise<Stored<Approval> | undefined> => load(table, noun, Keys.approval(workspace, hookId, repository, sha));

/** What people copy into a comment. */
export const commandFor = (sha: string): string => `/muster approve ${sha.slice(0, 12)}`;
