/** Members of a pool: an item for each, beside the pool's record, from the transaction that makes its cluster on. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { type Noun, read, type Stored } from "../record.ts";
import type { Pool } from "./pool.ts";

export const Member = z.object({
  workspace: z.string(),
  /** Name of the pool. */
  pool: z.string(),
  clusterId: z.string(),
  /** The job that prepares it; absent when there is nothing to prepare. */
  jobId: z.string().optional(),
  /** Of the pool, when it was made. */
  revision: z.number().int(),
  /** Epoch ms since when it is prepared; absent while it is not. */
  preparedAt: z.number().optional(),
  /** Epoch ms. */
  createdAt: z.number(),
});
export type Member = z.infer<typeof Member>;

export const noun: Noun<Member> = {
  type: "member",
  schema: Member,
  fields: new Set(Object.keys(Member.shape)),
  key: record => Keys.member(record.workspace, record.pool, record.clusterId),
  indexes: () => ({}),
};

/** All members of a pool, in the order in which they were made. */
export async function membersOf(
  table: Table,
  { workspace, name }: Pick<Pool, "workspace" | "name">,
): Promise<Stored<Member>[]> {
  const { pk } = Keys.pool(workspace, name);
  const found: Stored<Member>[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, prefix: Keys.MEMBER, limit: 1000, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(item => read(noun, item)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Whether it may be taken at once, as far as its pool knows. */
export const isReady = (member: Member, { revision }: Pool): boolean =>
  member.preparedAt !== undefined && member.revision === revision;
