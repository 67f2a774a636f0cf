/** A table of Muster's on a DynamoDB that is not AWS's, made as the stacks make it. */
import { CreateTableCommand, DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "@muster/aws/call/aws.ts";
import { creation, TTL } from "@muster/aws/table/schema.ts";

export const REGION = "eu-west-1";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

export const awsAt = (endpoint: string, onCall?: Aws["onCall"]): Aws => ({
  region: REGION,
  endpoint,
  credentials: async () => credentials,
  onCall,
});

/** Makes the table with AWS's own client, which checks the parameters. */
export async function makeTable(endpoint: string, name: string, region = REGION): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region, credentials });
  await client.send(new CreateTableCommand(creation(name)));
  const TimeToLiveSpecification = { AttributeName: TTL, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
  client.destroy();
}
