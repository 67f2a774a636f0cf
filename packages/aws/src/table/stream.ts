/** The doorbell's news: a record of the table's stream, as DynamoDB gives it to a Lambda function. */
import { MusterError } from "@muster/core/error.ts";
import type { Change } from "@muster/core/ports/table.ts";
import { decode, decodeKey } from "./item.ts";

/**
 * What of a record is read here; see "Using AWS Lambda with DynamoDB" and AttributeValue in the Streams API, whose images
 * have the same form as items elsewhere.
 */
export interface StreamRecord {
  readonly eventName?: string | undefined;
  readonly dynamodb?: { readonly Keys?: unknown; readonly NewImage?: unknown } | undefined;
}

/**
 * @returns the item as it stood after the change, or the key of one that was removed, by us or by TTL
 * @throws MusterError `internal` when it is no record of this table, or the stream has no new images
 */
export function changeOf({ eventName, dynamodb }: StreamRecord): Change {
  if (eventName === "REMOVE") return { removed: decodeKey(dynamodb?.Keys) };
  if (eventName === "INSERT" || eventName === "MODIFY") return { item: decode(dynamodb?.NewImage) };
  throw new MusterError("internal", `a stream record of an unknown kind: ${eventName}`);
}
