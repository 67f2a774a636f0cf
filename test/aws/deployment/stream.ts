/**
 * Lambda's event source mappings: reads the table's stream and the queue of rings from moto, and calls the doorbell with
 * what they hold, as AWS does. The reading is ours; the records are moto's.
 */
import type { Failures } from "@muster/aws/doorbell/batch.ts";
import type { Deployed } from "./lambda.ts";
import { pause } from "./pause.ts";

export interface Source {
  readonly endpoint: string;
  readonly region: string;
  readonly table: string;
  readonly queue: string;
}

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly NewImage?: { readonly type?: { readonly S?: string } };
  };
}

/** As the stack's filter: see stacks/doorbell.ts. */
const TYPES = new Set(["event", "job", "array", "follow", "deadletter"]);
const TRIES = 3;
/** How long until the next look at the stream, in ms: nothing came, so it may be longer each time. */
const SOON = 20;
const LATER = 160;

const passes = ({ eventName, dynamodb }: StreamRecord): boolean =>
  eventName !== "REMOVE" && TYPES.has(dynamodb.NewImage?.type?.S ?? "");

export interface Mapping {
  /** While it is set, nothing is delivered; what is written meanwhile comes later. */
  paused: boolean;
  close(): Promise<void>;
}

export function connect(source: Source, doorbell: Deployed): Mapping {
  const mapping = { paused: false, closed: false };
  const loops = [readStream(source, doorbell, mapping), readQueue(source, doorbell, mapping)];
  return {
    get paused() {
      return mapping.paused;
    },
    set paused(value) {
      mapping.paused = value;
    },
    close: async () => {
      mapping.closed = true;
      await Promise.all(loops);
    },
  };
}

type State = { readonly paused: boolean; readonly closed: boolean };

async function readStream(source: Source, doorbell: Deployed, state: State): Promise<void> {
  const { Streams: [stream] = [] } = await ask(source, "ListStreams", { TableName: source.table });
  const { StreamDescription } = await ask(source, "DescribeStream", { StreamArn: stream.StreamArn });
  const { ShardId } = StreamDescription.Shards[0];
  let last: string | undefined;
  let wait = SOON;
  while (!state.closed) {
    await pause(wait);
    if (state.paused) continue;
    // A new iterator each time: moto's go stale when a transaction is refused.
    const from =
      last === undefined
        ? { ShardIteratorType: "TRIM_HORIZON" }
        : { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last };
    const { ShardIterator } = await ask(source, "GetShardIterator", { StreamArn: stream.StreamArn, ShardId, ...from });
    const records = (await ask(source, "GetRecords", { ShardIterator, Limit: 100 })).Records as StreamRecord[];
    last = records.at(-1)?.dynamodb.SequenceNumber ?? last;
    wait = records.length > 0 ? SOON : Math.min(2 * wait, LATER);
    await deliver(doorbell, records.filter(passes));
  }
}

async function deliver(doorbell: Deployed, records: readonly StreamRecord[]): Promise<void> {
  let left = records;
  for (let attempt = 0; attempt < TRIES && left.length > 0; attempt++) {
    const failed = await attemptOf(doorbell, left);
    left = left.filter(record => failed.has(record.dynamodb.SequenceNumber));
  }
}

async function attemptOf(doorbell: Deployed, records: readonly StreamRecord[]): Promise<ReadonlySet<string>> {
  const Records = records.map(record => ({ ...record, eventSource: "aws:dynamodb" }));
  try {
    const { batchItemFailures } = (await doorbell.invoke({ Records })) as Failures;
    return new Set(batchItemFailures.map(failure => failure.itemIdentifier));
  } catch {
    return new Set(records.map(record => record.dynamodb.SequenceNumber));
  }
}

async function readQueue(source: Source, doorbell: Deployed, state: State): Promise<void> {
  while (!state.closed) {
    await pause(200);
    if (state.paused) continue;
    const { Messages = [] } = await ask(source, "ReceiveMessage", {
      ...{ QueueUrl: source.queue, MaxNumberOfMessages: 10, AttributeNames: ["ApproximateReceiveCount"] },
    });
    for (const { MessageId: messageId, Body: body, ReceiptHandle, Attributes: attributes } of Messages) {
      const failed = await doorbell
        .invoke({ Records: [{ eventSource: "aws:sqs", messageId, body, attributes }] })
        .then(answer => (answer as Failures).batchItemFailures.length > 0)
        .catch(() => true);
      if (!failed) await ask(source, "DeleteMessage", { QueueUrl: source.queue, ReceiptHandle });
    }
  }
}

const QUEUE_CALLS = new Set(["ReceiveMessage", "DeleteMessage"]);

/** Straight to moto. */
// biome-ignore lint/suspicious/noExplicitAny: moto's answers, read once each
async function ask(source: Source, operation: string, input: object): Promise<any> {
  const [service, target] = QUEUE_CALLS.has(operation)
    ? ["sqs", `AmazonSQS.${operation}`]
    : ["dynamodb", `DynamoDBStreams_20120810.${operation}`];
  const answer = await fetch(source.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": target,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/${source.region}/${service}/aws4_request`,
    },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${operation}: ${await answer.text()}`);
  return answer.json();
}
