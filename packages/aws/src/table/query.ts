/** One page of a range. DynamoDB ends its own pages at 1 MB, and counts expired items into its limit: ours do not end there. */
import * as Cursor from "@muster/core/cursor.ts";
import type { Draft, Item, Page, Range, Sighting } from "@muster/core/ports/table.ts";
import { checkRange } from "@muster/core/table/rules.ts";
import { json } from "../call/json.ts";
import { type Attributes, decode, decodeSighting } from "./item.ts";
import type { Place } from "./place.ts";
import { positionOf, select, startOf } from "./range.ts";
import { troubleOf } from "./trouble.ts";

const DEFAULT_LIMIT = 100;

/** @throws MusterError `invalid_request`, `busy`, `unavailable` */
export async function query(place: Place, range: Range & Cursor.Query): Promise<Page<Item | Sighting>> {
  checkRange(range);
  const start = range.cursor === undefined ? undefined : Cursor.open(place.digest, range, range.cursor);
  const limit = range.limit ?? DEFAULT_LIMIT;
  // One more than asked for says whether there is a next page.
  const found = await read(place, range, limit + 1, start && startOf(range, start));
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || found.length <= limit) return { items };
  return { items, cursor: Cursor.seal(place.digest, range, positionOf(range, last)) };
}

/** The first items of the range after `start`: `count`, or more, or all that there are. */
async function read(
  place: Place,
  range: Cursor.Query,
  count: number,
  start: Attributes | undefined,
): Promise<readonly Draft[]> {
  const selection = select(range, place.now());
  if (selection === undefined) return [];
  const toItem = range.index === undefined ? decode : decodeSighting;
  const found: Draft[] = [];
  let from: unknown = start;
  do {
    const missing = count - found.length;
    const answer = await ask(place, {
      ...selection,
      // A round that came back short met expired items: there may be many.
      Limit: from === start ? missing : Math.max(missing, DEFAULT_LIMIT),
      ...(from !== undefined && { ExclusiveStartKey: from }),
    });
    for (const item of answer.items) found.push(toItem(item));
    from = answer.last;
  } while (from !== undefined && found.length < count);
  return found;
}

async function ask(
  { aws, name, timeout }: Place,
  input: object,
): Promise<{ readonly items: readonly unknown[]; readonly last: unknown }> {
  const whole = { TableName: name, ReturnConsumedCapacity: "TOTAL", ...input };
  const answer = await json(aws, "dynamodb", "Query", whole, { timeout }).catch((error: unknown) => {
    throw troubleOf(error);
  });
  return { items: Array.isArray(answer.Items) ? answer.Items : [], last: answer.LastEvaluatedKey };
}
