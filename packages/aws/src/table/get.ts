/** One item, as it stands now. */
import type { Item, Key } from "@muster/core/ports/table.ts";
import { checkKey } from "@muster/core/table/rules.ts";
import { json } from "../call/json.ts";
import { decode, encodeKey, isExpired } from "./item.ts";
import type { Place } from "./place.ts";
import { troubleOf } from "./trouble.ts";

/** @throws MusterError `invalid_request`, `busy`, `unavailable` */
export async function get({ aws, name, now, timeout }: Place, key: Key): Promise<Item | undefined> {
  checkKey(key);
  const input = { TableName: name, Key: encodeKey(key), ConsistentRead: true, ReturnConsumedCapacity: "TOTAL" };
  const answer = await json(aws, "dynamodb", "GetItem", input, { timeout }).catch((error: unknown) => {
    throw troubleOf(error);
  });
  if (answer.Item === undefined) return undefined;
  const item = decode(answer.Item);
  return isExpired(item, now()) ? undefined : item;
}
