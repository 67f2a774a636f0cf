/** Ran against: records that moto's stream gave for our own writes, and records written down as AWS documents them. */
import { changeOf, type StreamRecord } from "@muster/aws/table/stream.ts";
import { openTable } from "@muster/aws/table/table.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest, draft } from "../contract/table-subject.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt, makeTable, REGION } from "./table-support.ts";

let moto: Moto;

beforeAll(async () => {
  moto = await startMoto();
});
afterAll(() => moto?.close());

/** Moto looks at the scope of a signature only. */
const authorization = `AWS4-HMAC-SHA256 Credential=AK/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`;

async function ask(operation: string, input: object): Promise<Record<string, unknown>> {
  const headers = { authorization, "x-amz-target": `DynamoDBStreams_20120810.${operation}` };
  const answer = await fetch(moto.url, { method: "POST", body: JSON.stringify(input), headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

async function recordsOf(TableName: string): Promise<readonly StreamRecord[]> {
  const { Streams } = (await ask("ListStreams", { TableName })) as { Streams: { StreamArn: string }[] };
  const { StreamArn } = Streams[0]!;
  const { StreamDescription } = (await ask("DescribeStream", { StreamArn })) as {
    StreamDescription: { StreamViewType: string; Shards: { ShardId: string }[] };
  };
  expect(StreamDescription.StreamViewType).toBe("NEW_AND_OLD_IMAGES");
  const { ShardId } = StreamDescription.Shards[0]!;
  const from = { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" };
  const { ShardIterator } = await ask("GetShardIterator", from);
  const { Records } = await ask("GetRecords", { ShardIterator });
  return Records as StreamRecord[];
}

test("what was written comes out of the stream as it stands in the table", async () => {
  await makeTable(moto.url, "muster");
  const table = openTable({ aws: awsAt(moto.url), name: "muster", digest });
  const key = { pk: "ws_1#clusters", sk: "clu_1" };
  const first = draft(key, { n: [1, null] }, { indexes: { due: { pk: "due#3", sk: "0017" } }, expiresAt: 4e12 + 1 });
  await table.write([{ put: first, expect: "absent" }]);
  await table.write([
    { put: draft(key, { n: 2 }), expect: 1 },
    { check: { pk: "ws_2", sk: "x" }, expect: "absent" },
  ]);
  await table.write([{ remove: key, expect: 2 }]);
  expect((await recordsOf("muster")).map(changeOf)).toEqual([
    { item: { ...first, version: 1 } },
    { item: { ...draft(key, { n: 2 }), version: 2 } },
    { removed: key },
  ]);
});

/** In the form of "Process DynamoDB records with Lambda", AWS Lambda Developer Guide; the images are of our table. */
const documented = {
  eventID: "1",
  eventVersion: "1.0",
  eventSource: "aws:dynamodb",
  awsRegion: "us-east-1",
  eventSourceARN: "arn:aws:dynamodb:us-east-1:123456789012:table/muster/stream/2026-01-01T00:00:00.000",
};
const stream = { SequenceNumber: "111", SizeBytes: 26, StreamViewType: "NEW_AND_OLD_IMAGES" };
const Keys = { pk: { S: "P" }, sk: { S: "A" } };
const image = { ...Keys, type: { S: "job" }, data: { S: '{"state":"queued"}' }, version: { N: "3" } };

test("records as Lambda gets them are read, with or without what later versions may add", () => {
  const item = { pk: "P", sk: "A", type: "job", data: { state: "queued" }, version: 3 };
  const insert = { ...documented, eventName: "INSERT", dynamodb: { ...stream, Keys, NewImage: image } };
  expect(changeOf(insert)).toEqual({ item });
  const NewImage = { ...image, later: { M: { a: { L: [{ BOOL: true }] } } } };
  const modify = { ...documented, eventName: "MODIFY", dynamodb: { ...stream, Keys, NewImage, OldImage: image } };
  expect(changeOf(modify)).toEqual({ item });
});

test("what TTL removed is a removal", () => {
  const userIdentity = { type: "Service", principalId: "dynamodb.amazonaws.com" };
  const record = { ...documented, userIdentity, eventName: "REMOVE", dynamodb: { ...stream, Keys, OldImage: image } };
  expect(changeOf(record)).toEqual({ removed: { pk: "P", sk: "A" } });
});

test.each([
  ["another table's", { eventName: "REMOVE", dynamodb: { Keys: { Id: { N: "101" } } } }],
  ["another item's", { eventName: "INSERT", dynamodb: { Keys, NewImage: { ...Keys, Message: { S: "New item!" } } } }],
  ["without images", { eventName: "INSERT", dynamodb: { Keys } }],
  ["of another kind", { eventName: "TRUNCATE", dynamodb: { Keys, NewImage: image } }],
  ["empty", {}],
])("a record that is %s is refused", (_, record) => {
  expect(() => changeOf(record)).toThrow(expect.objectContaining({ code: "internal" }));
});
