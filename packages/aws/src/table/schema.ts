/** How the table is made: read by the stacks and by the tests, so that both make the same one. */
import { INDEXES, type IndexName } from "@muster/core/ports/table.ts";

interface KeyNames {
  readonly pk: string;
  readonly sk: string;
}

export const BASE: KeyNames = { pk: "pk", sk: "sk" };

/** An item is in an index when it has the index's two attributes. Each index holds the whole item. */
export const INDEX_KEYS: Readonly<Record<IndexName, KeyNames>> = {
  list: { pk: "list_pk", sk: "list_sk" },
  due: { pk: "due_pk", sk: "due_sk" },
  link: { pk: "link_pk", sk: "link_sk" },
};

/** Epoch seconds: DynamoDB forgets the item some day after. */
export const TTL = "expiresAt";

export const STREAM = "NEW_AND_OLD_IMAGES";

const keySchema = ({ pk, sk }: KeyNames) => [
  { AttributeName: pk, KeyType: "HASH" as const },
  { AttributeName: sk, KeyType: "RANGE" as const },
];

/** The input of CreateTable. TTL is not a part of it: UpdateTimeToLive sets it. */
export const creation = (name: string) => ({
  TableName: name,
  BillingMode: "PAY_PER_REQUEST" as const,
  KeySchema: keySchema(BASE),
  AttributeDefinitions: [BASE, ...INDEXES.map(index => INDEX_KEYS[index])]
    .flatMap(({ pk, sk }) => [pk, sk])
    .map(AttributeName => ({ AttributeName, AttributeType: "S" as const })),
  GlobalSecondaryIndexes: INDEXES.map(IndexName => ({
    IndexName,
    KeySchema: keySchema(INDEX_KEYS[IndexName]),
    Projection: { ProjectionType: "ALL" as const },
  })),
  StreamSpecification: { StreamEnabled: true, StreamViewType: STREAM as typeof STREAM },
});
