/** Batches as Lambda hands them to a function, and what it says of those that failed. */
import type { StreamRecord } from "../table/stream.ts";

/** Of a DynamoDB stream, or of an SQS queue. */
export interface BatchRecord extends StreamRecord {
  readonly eventSource: string;
  /** Of a queue. */
  readonly messageId?: string;
  readonly body?: string;
  /** How often it was handed over, this time among them, as digits. */
  readonly attributes?: { readonly ApproximateReceiveCount?: string };
  /** Of a stream. */
  readonly dynamodb?: StreamRecord["dynamodb"] & { readonly SequenceNumber?: string };
}

export interface Batch {
  readonly Records: readonly BatchRecord[];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html */
export interface Failures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}
