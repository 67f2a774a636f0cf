/**
 * Counting what is set up by name: schedules, secrets and their like. A count per list stands in one item, which whoever makes
 * another one writes in the same transaction, so that no two take the last place.
 *
 * The count only ever grows: whoever removes something writes nothing more than before. When it comes to the limit, the list
 * itself is counted, and the count is what is there. So it mends itself: after removals, after a restore, and for what was
 * set up before there were quotas. Where a list is read by an index, which may lag by a moment, as many may slip through as
 * were made in that moment.
 */
import type { Actor } from "../actor/actor.ts";
import * as Budget from "../budget/budget.ts";
import * as Keys from "../keys.ts";
import type { IndexName, Item, Table, Write } from "../ports/table.ts";
import { limitOf, requireRoom, type SetUp } from "./quota.ts";

/** The write that counts one more of them. @throws MusterError `quota_exceeded`. */
export async function counting(
  { table }: { readonly table: Table },
  { workspace }: Pick<Actor, "workspace">,
  list: SetUp,
): Promise<Write> {
  const key = Keys.tally(workspace, list);
  const item = await table.get(key);
  const { quotas } = await Budget.get(table, workspace);
  const known = countOf(item);
  const limit = limitOf(quotas, list) ?? Infinity;
  const used = known !== undefined && known < limit ? known : await countOfList(table, workspace, list);
  requireRoom(quotas, list, used, 1);
  return { put: { ...key, type: "tally", data: { count: used + 1 } }, expect: item?.version ?? "absent" };
}

function countOf(item: Item | undefined): number | undefined {
  const count = item?.data.count;
  return typeof count === "number" ? count : undefined;
}

interface Source {
  readonly pk: string;
  readonly prefix?: string;
  readonly index?: IndexName;
}

/** Where they are listed. */
function sourceOf(workspace: string, list: SetUp): Source {
  switch (list) {
    case "secrets":
      return { pk: Keys.secrets(workspace), prefix: Keys.SECRET };
    case "targets":
      return { pk: Keys.targets(workspace), prefix: Keys.TARGET };
    case "schedules":
      return { pk: Keys.list(workspace, "schedule", "").pk, index: "list" };
    case "pools":
      return { pk: Keys.list(workspace, "pool", "").pk, index: "list" };
    case "images":
      return { pk: Keys.list(workspace, "image", "").pk, index: "list" };
    case "webhooks":
      return { pk: Keys.webhooks(workspace), prefix: Keys.WEBHOOK };
    case "hooks":
      return { pk: Keys.list(workspace, "hook", "").pk, index: "list" };
  }
}

/** A failed image is only the news that there is none. */
const ENDED: ReadonlySet<unknown> = new Set(["failed", "removed"]);

/** How many there are. */
export async function countOfList(table: Table, workspace: string, list: SetUp): Promise<number> {
  const { index, ...range } = sourceOf(workspace, list);
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = { ...range, limit: 1000, ...(cursor !== undefined && { cursor }) };
    const page = await (index === undefined ? table.query(query) : table.query({ ...query, index }));
    count += page.items.filter(({ data }) => !ENDED.has(data.state)).length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return count;
}
