/**
 * Ran against: AWS's own SDK, as support/call-sdk.ts compares them.
 */
import * as Dynamo from "@aws-sdk/client-dynamodb";
import { hostOf } from "@muster/aws/call/aws.ts";
import { json } from "@muster/aws/call/json.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { credentials, known, NOW, plain, region, same } from "./support/call-sdk.ts";
import { type CallServer, say, startCallServer } from "./support/call-server.ts";

let server: CallServer;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  server = await startCallServer();
});
afterAll(async () => {
  vi.useRealTimers();
  await server.close();
});
beforeEach(() => {
  server.forget();
  server.answer(say(200));
});

const text = fc.string({ unit: "binary", maxLength: 30 });
const name = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.constantFrom("pk", "__proto__", "0"),
);
const { value } = fc.letrec<{ value: Dynamo.AttributeValue }>(tie => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text.map(S => ({ S })),
    fc.integer().map(N => ({ N: String(N) })),
    fc.boolean().map(BOOL => ({ BOOL })),
    fc.constant({ NULL: true as const }),
    fc.uint8Array({ maxLength: 20 }).map(B => ({ B })),
    fc.array(text, { minLength: 1, maxLength: 3 }).map(SS => ({ SS })),
    fc.array(tie("value"), { maxLength: 3 }).map(L => ({ L })),
    fc.dictionary(name, tie("value"), { maxKeys: 3 }).map(M => ({ M })),
  ),
}));
const item = fc.dictionary(name, value, { minKeys: 1, maxKeys: 5 });
const TableName = fc.stringMatching(/^[a-zA-Z0-9_.-]{3,30}$/);
const put = fc.record({
  TableName,
  Item: item,
  ConditionExpression: fc.constantFrom("attribute_not_exists(pk)", "#v = :v"),
});
const read = fc.record({ TableName, Key: item, ConsistentRead: fc.boolean() });

const requests = {
  GetItem: read.map(input => new Dynamo.GetItemCommand(input)),
  PutItem: put.map(input => new Dynamo.PutItemCommand(input)),
  Query: fc
    .record({
      TableName,
      KeyConditionExpression: text,
      ExpressionAttributeValues: item,
      Limit: fc.nat(),
      ScanIndexForward: fc.boolean(),
    })
    .map(input => new Dynamo.QueryCommand(input)),
  TransactWriteItems: fc
    .record({
      TransactItems: fc.array(
        fc.oneof(
          put.map(Put => ({ Put })),
          read.map(({ TableName, Key }) => ({ Delete: { TableName, Key } })),
        ),
        { minLength: 1, maxLength: 5 },
      ),
      ClientRequestToken: fc.uuid(),
    })
    .map(input => new Dynamo.TransactWriteItemsCommand(input)),
};

describe("DynamoDB", () => {
  test.each(Object.entries(requests))("%s is sent as the SDK sends it, to the byte", async (operation, commands) => {
    const property = fc.asyncProperty(commands, credentials, async (command, keys) => {
      const client = plain(new Dynamo.DynamoDBClient({ region, endpoint: server.url, credentials: known(keys) }));
      const aws = { region, endpoint: server.url, credentials: async () => keys };
      await same(
        server,
        () => client.send(command as never),
        // The SDK writes bytes as base64; the body is taken as it wrote it, and written again by us.
        () => json(aws, "dynamodb", operation, JSON.parse(server.asked[0]?.body ?? "")),
      );
      client.destroy();
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test("the hosts of regions are those of the SDK", async () => {
    for (const place of [
      "us-east-1",
      "eu-central-2",
      "ap-southeast-7",
      "us-gov-west-1",
      "cn-north-1",
      "cn-northwest-1",
    ]) {
      const client = new Dynamo.DynamoDBClient({
        region: place,
        credentials: known({ accessKeyId: "a", secretAccessKey: "b", sessionToken: undefined }),
      });
      const seen: string[] = [];
      client.middlewareStack.add(
        () => async args => {
          seen.push((args.request as { hostname: string }).hostname);
          throw new Error("seen");
        },
        { step: "deserialize" },
      );
      await expect(client.send(new Dynamo.ListTablesCommand({} satisfies Dynamo.ServiceInputTypes))).rejects.toThrow(
        "seen",
      );
      expect(seen[0]).toBe(hostOf("dynamodb", place));
    }
  });
});
