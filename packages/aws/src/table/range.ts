/** A range of the port in the terms of DynamoDB's Query. */
import type { Position, Query } from "@muster/core/cursor.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Key } from "@muster/core/ports/table.ts";
import { type Attributes, encodeKey, type Value } from "./item.ts";
import { BASE, INDEX_KEYS } from "./schema.ts";

/** The fields of Query that say which items, and in which order. */
export interface Selection {
  readonly IndexName?: string;
  readonly ConsistentRead: boolean;
  readonly ScanIndexForward: boolean;
  readonly KeyConditionExpression: string;
  readonly FilterExpression: string;
  /** No name is written out in an expression: DynamoDB reserves hundreds of words, `data` among them. */
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Attributes;
}

/** Undefined when no item can be in the range: DynamoDB refuses some such questions. */
export function select(query: Query, now: number): Selection | undefined {
  const bounds = boundsOf(query);
  if (bounds === undefined) return undefined;
  const { pk, sk } = namesOf(query);
  return {
    ...(query.index !== undefined && { IndexName: query.index }),
    // Indexes have no strong reads.
    ConsistentRead: query.index === undefined,
    ScanIndexForward: query.order !== "descending",
    KeyConditionExpression: ["#pk = :pk", ...(bounds.expression === "" ? [] : [bounds.expression])].join(" AND "),
    FilterExpression: "attribute_not_exists(#expires) OR #expires > :now",
    ExpressionAttributeNames: { "#pk": pk, ...(bounds.expression !== "" && { "#sk": sk }), "#expires": "expiresAtMs" },
    ExpressionAttributeValues: { ":pk": { S: query.pk }, ":now": { N: String(now) }, ...bounds.values },
  };
}

const namesOf = ({ index }: Query) => (index === undefined ? BASE : INDEX_KEYS[index]);

interface Bounds {
  readonly expression: string;
  readonly values: Readonly<Record<string, Value>>;
}

/** A key condition takes one condition on the sort key, and no empty text. */
function boundsOf({ prefix = "", upTo }: Query): Bounds | undefined {
  const values = { ":prefix": { S: prefix }, ":upTo": { S: upTo ?? "" } };
  if (upTo === undefined) return prefix === "" ? { expression: "", values: {} } : begins(values[":prefix"]);
  if (prefix === "")
    return upTo === "" ? undefined : { expression: "#sk <= :upTo", values: { ":upTo": values[":upTo"] } };
  // What lies between a prefix and a text that begins with it begins with it too.
  if (upTo.startsWith(prefix)) return { expression: "#sk BETWEEN :prefix AND :upTo", values };
  // Otherwise the end lies before all that begins so, or after it.
  return Buffer.compare(Buffer.from(upTo), Buffer.from(prefix)) < 0 ? undefined : begins(values[":prefix"]);
}

const begins = (prefix: Value): Bounds => ({ expression: "begins_with(#sk, :prefix)", values: { ":prefix": prefix } });

/** Where a page ends that ends with this item. */
export function positionOf(query: Query, item: Key & { readonly indexes?: Readonly<Record<string, Key>> }): Position {
  if (query.index === undefined) return { sk: item.sk };
  return { [INDEX_KEYS[query.index].sk]: item.indexes?.[query.index]?.sk ?? "", pk: item.pk, sk: item.sk };
}

/** The ExclusiveStartKey of a page that begins after `position`. @throws MusterError `invalid_request` */
export function startOf(query: Query, position: Position): Attributes {
  if (query.index === undefined) return encodeKey({ pk: query.pk, sk: at(position, "sk") });
  const { pk, sk } = INDEX_KEYS[query.index];
  const own = encodeKey({ pk: at(position, "pk"), sk: at(position, "sk") });
  return { [pk]: { S: query.pk }, [sk]: { S: at(position, sk) }, ...own };
}

/** A sealed position is ours, but perhaps of another version of this file. */
function at(position: Position, name: string): string {
  const value = position[name];
  if (value === undefined) throw new MusterError("invalid_request", "cursor is not valid; start again without it");
  return value;
}
