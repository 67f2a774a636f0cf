/** Queues: encrypted, over TLS only, and open to senders that are named. */
import type { Here } from "./here.ts";

const DAY = 86_400;

export interface Sender {
  /** An AWS service, such as `events.amazonaws.com`. */
  readonly service: string;
  /** ARNs on whose behalf it sends. */
  readonly sources: readonly $util.Input<string>[];
}

const secured = (at: Here) =>
  at.options.kmsKey === undefined ? { sqsManagedSseEnabled: true } : { kmsMasterKeyId: at.options.kmsKey };

/** @param name Follows the deployment's name; what nobody has taken after two weeks is lost. */
export const deadLetters = (at: Here, id: string, name: string): aws.sqs.Queue =>
  new aws.sqs.Queue(id, { name: `${at.deployment}-${name}-dead`, messageRetentionSeconds: 14 * DAY, ...secured(at) });

/** @param patience Seconds that one who takes a message has, until it is given to another. */
export const queue = (at: Here, id: string, name: string, dead: aws.sqs.Queue, patience: number): aws.sqs.Queue =>
  new aws.sqs.Queue(id, {
    name,
    visibilityTimeoutSeconds: patience,
    messageRetentionSeconds: 4 * DAY,
    redrivePolicy: $jsonStringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 3 }),
    ...secured(at),
  });

export const queuePolicy = (id: string, on: aws.sqs.Queue, senders: readonly Sender[] = []): aws.sqs.QueuePolicy =>
  new aws.sqs.QueuePolicy(id, {
    queueUrl: on.url,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Resource: on.arn,
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
        ...senders.map(({ service, sources }) => ({
          Effect: "Allow",
          Principal: { Service: service },
          Action: "sqs:SendMessage",
          Resource: on.arn,
          Condition: { ArnEquals: { "aws:SourceArn": sources } },
        })),
      ],
    }),
  });
