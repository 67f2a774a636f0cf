/** The table's stream, the queue of what is to be done outside, and every minute: what is due and was missed. */
import type { Aws } from "@muster/aws/call/aws.ts";
import type { Batch, Failures } from "@muster/aws/doorbell/batch.ts";
import { queueOf } from "@muster/aws/doorbell/queue.ts";
import { takeAll, takeQueued } from "@muster/aws/outbox/take.ts";
import type { Entry } from "@muster/core/outbox/outbox.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import { burying } from "./buried.ts";

/** How long the sweep begins with more, in ms: then the function's time is nearly over, and the next goes on. */
const PATIENCE = 30_000;

export function outbox(
  world: Outside,
  aws: Aws,
  url: string,
): (event: Batch | object) => Promise<Failures | undefined> {
  const queue = queueOf<Entry>(aws, url, ({ workspace }) => workspace);
  const about = { subject: "duty outbox", what: "run the duty 'outbox'" };
  return async event => {
    if (!("Records" in event)) {
      await burying(world, about, () => sweepOutbox(world, world.clock.now() + PATIENCE));
      return undefined;
    }
    const isQueued = event.Records[0]?.eventSource === "aws:sqs";
    return isQueued ? takeQueued(world, event) : takeAll(world, queue, event);
  };
}
