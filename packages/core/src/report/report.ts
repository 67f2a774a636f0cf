/**
 * Reports: what is told of a job, or of why there is none, at the forge that its commit is from. One for each channel and
 * place: a status for each hook, rule and commit, a check run likewise, and a comment for each hook, rule and pull request.
 * So whatever is launched there, and however often, there is one line, and it tells of what came last.
 *
 * Gotcha: forges keep what they are told last, whatever it is about. So only one at a time tells, under a lease, and reads
 * what there is to tell after it has taken that: nothing older can come behind something newer. A lease is longer than all
 * calls under it together.
 */
import * as z from "zod";
import { Origin } from "../forge/origin.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Indexes, Table } from "../ports/table.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { EnvName } from "../task/env-name.ts";

export const Channel = z.enum(["status", "check", "comment"]);
export type Channel = z.infer<typeof Channel>;

/** What it tells of. */
export const Subject = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("job"), jobId: z.string() }),
  /** Nothing was launched. */
  z.object({ kind: z.literal("refused"), message: z.string() }),
  /** Nothing is launched until a maintainer has said that this commit may be. */
  z.object({ kind: z.literal("held"), message: z.string() }),
  /** A cluster alone, which has no end to wait for. */
  z.object({ kind: z.literal("cluster"), name: z.string() }),
]);
export type Subject = z.infer<typeof Subject>;

export const Report = z.object({
  id: z.string(),
  workspace: z.string(),
  channel: Channel,
  hook: z.object({ id: z.string(), name: z.string() }),
  rule: z.string(),
  /** Name of the workspace's secret with which it is told. */
  token: EnvName.optional(),
  origin: Origin,
  subject: Subject,
  /** Epoch ms at which came what this is about: what came earlier does not take its place. */
  at: z.number(),
  /** Epoch ms at which somebody must see to it; absent: there is nothing more to tell. */
  dueAt: z.number().optional(),
  /** Epoch ms until which somebody tells it. */
  leasedUntil: z.number().optional(),
  /** Something has happened since that began. */
  again: z.boolean().optional(),
  /** How often somebody has begun to tell it. */
  tries: z.number().int(),
  /** What was told last, as its hash, and when. */
  told: z.object({ hash: z.string(), at: z.number() }).optional(),
  /** Id of the check run or the comment at the forge. */
  remote: z.number().int().optional(),
  /** How often in a row it could not be told, and since when (epoch ms). */
  failures: z.number().int().optional(),
  failingSince: z.number().optional(),
  /** Why it was given up. */
  problem: z.string().optional(),
  createdAt: z.number(),
});
export type Report = z.infer<typeof Report>;

export const noun: Noun<Report> = {
  type: "report",
  schema: Report,
  fields: new Set(Object.keys(Report.shape)),
  key: record => Keys.report(record.workspace, record.id),
  indexes: ({ id, workspace, dueAt }): Indexes =>
    dueAt === undefined ? {} : { due: Keys.outboxDue(`${workspace}#${id}`, dueAt) },
};

export const find = (table: Table, workspace: string, id: string): Promise<Stored<Report> | undefined> =>
  load(table, noun, Keys.report(workspace, id));

export type Where = Pick<Report, "workspace" | "channel" | "hook" | "rule" | "origin">;

/** The same channel and place have the same id. */
export function idOf(digest: Pick<Digest, "hash">, { workspace, channel, hook, rule, origin }: Where): string {
  const repository = origin.forge === "github" ? origin.repository.toLowerCase() : origin.project;
  const place = channel === "comment" ? `pull ${origin.pull}` : origin.sha;
  return `rpt_${digest.hash(JSON.stringify([workspace, channel, hook.id, rule, repository, place])).slice(0, 32)}`;
}

/** What it is called at the forge. */
export const contextOf = ({ hook, rule }: Pick<Report, "hook" | "rule">): string => `muster/${hook.name}/${rule}`;

const MARK = "<!-- muster:";

/** The first line of a comment, by which it is found again: hidden, and nobody can make it up. */
export const markerOf = (digest: Pick<Digest, "mac">, { workspace, id }: Pick<Report, "workspace" | "id">): string =>
  `${MARK}${digest.mac("report-marker", `${workspace} ${id}`).slice(0, 32)} -->`;

/**
 * Whether a comment is one of these, of whatever control plane. It is written in the name of somebody who may write there, and
 * holds what jobs print: nothing in it is a command.
 */
export const isReport = (comment: string): boolean => comment.trimStart().startsWith(MARK);
