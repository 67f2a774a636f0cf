/** The queue of rings that failed: each is tried again, and put aside for people after that. */
import type { Ring } from "@muster/core/doorbell.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";

export interface RingQueue {
  send(ring: Ring): Promise<void>;
}

/** Seconds until it is tried again. */
const DELAY = 5;

export const queue = (aws: Aws, url: string): RingQueue => ({
  send: async ring => {
    // A ring that comes twice does what one does.
    const message = { QueueUrl: url, MessageBody: JSON.stringify(ring), DelaySeconds: DELAY };
    await json(aws, "sqs", "SendMessage", message, { attempts: 4 });
  },
});
