/**
 * The queue of rings that failed, or that are one workspace's too many: each is tried three times, and put aside for people
 * after that. A workspace is a group of messages: many of one do not delay those of others, as AWS's fair queues have it.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
import { type Ring, workspaceOf } from "@muster/core/doorbell.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { Fault } from "../fault.ts";

export interface Queue<T> {
  /** @param delay seconds until it is tried; 900 at most. */
  send(item: T, delay: number): Promise<void>;
}

export type RingQueue = Queue<Ring>;

export const queue = (aws: Aws, url: string): RingQueue => queueOf(aws, url, workspaceOf);

/** @param ownerOf the workspace in whose turn it is; empty: nobody's */
export const queueOf = <T>(aws: Aws, url: string, ownerOf: (item: T) => string): Queue<T> => ({
  send: async (item, DelaySeconds) => {
    const message = { QueueUrl: url, MessageBody: JSON.stringify(item), DelaySeconds };
    // What comes twice does what once does.
    const send = (more: object) => json(aws, "sqs", "SendMessage", { ...message, ...more }, { attempts: 4 });
    try {
      await send({ MessageGroupId: ownerOf(item) || NOBODY });
    } catch (error) {
      // Where a standard queue takes no groups, as none did before July 2025, rings have no fair turns, and are not lost.
      if (!(error instanceof Fault && GROUPLESS.has(error.code))) throw error;
      await send({});
    }
  },
});

const GROUPLESS: ReadonlySet<string> = new Set(["InvalidParameterValue", "InvalidParameterValueException"]);

/** Of what is the deployment's own. */
const NOBODY = "-";
