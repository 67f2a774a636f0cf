/** What a write expects, as DynamoDB's condition. */
import type { Expected } from "@muster/core/ports/table.ts";
import type { Attributes } from "./item.ts";

export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Attributes;
  /** What stood there comes with the refusal: a read afterwards would see another moment. */
  readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
}

const names = { "#expires": "expiresAtMs" };
const common = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } as const;

export function conditionOf(expected: Expected, now: number): Condition {
  const time = { ":now": { N: String(now) } };
  if (expected === "absent")
    return {
      ...common,
      // 1. There is no item: an item that is has a `pk`.
      // 2. Or there is one that has expired, which DynamoDB's TTL removes days later, or never. A comparison with an
      //    attribute that is not there is false, so an item without expiry does not pass here.
      ConditionExpression: "attribute_not_exists(#pk) OR #expires <= :now",
      ExpressionAttributeNames: { "#pk": "pk", ...names },
      ExpressionAttributeValues: time,
    };
  return {
    ...common,
    // 1. An item of this version is there; without an item the comparison is false.
    // 2. And it has not expired: it never does, or not yet.
    ConditionExpression: "#version = :version AND (attribute_not_exists(#expires) OR #expires > :now)",
    ExpressionAttributeNames: { "#version": "version", ...names },
    ExpressionAttributeValues: { ":version": { N: String(expected) }, ...time },
  };
}
