/** The table's stream, and the rings that failed before. */

import type { Aws } from "@muster/aws/call/aws.ts";
import type { Batch, Failures } from "@muster/aws/doorbell/batch.ts";
import { queue } from "@muster/aws/doorbell/queue.ts";
import { ringAgain, ringAll } from "@muster/aws/doorbell/ring.ts";
import type { World } from "@muster/core/ports/world.ts";

export const doorbell =
  (world: World, aws: Aws, rings: string) =>
  (batch: Batch): Promise<Failures> =>
    batch.Records[0]?.eventSource === "aws:sqs" ? ringAgain(world, batch) : ringAll(world, queue(aws, rings), batch);
