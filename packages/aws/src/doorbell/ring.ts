/**
 * Rings. Those of the stream are answered once; one that fails goes to a queue, so that it holds up nothing behind it. The
 * queue tries it three times, and then keeps it as a dead letter that can be moved back.
 */
import { answer, Ring, ringFor, subjectOf } from "@muster/core/doorbell.ts";
import type { World } from "@muster/core/ports/world.ts";
import { changeOf } from "../table/stream.ts";
import type { Batch, BatchRecord, Failures } from "./batch.ts";
import type { RingQueue } from "./queue.ts";

/** @returns the records of the stream whose rings could be neither answered nor queued. */
export async function ringAll(world: World, queue: RingQueue, { Records }: Batch): Promise<Failures> {
  // Several changes of one thing are one ring: the last.
  const rings = new Map<string, { readonly ring: Ring; readonly record: BatchRecord }>();
  for (const record of Records) {
    const ring = ringFor(changeOf(record));
    if (ring && !isCovered(ring, rings.get(subjectOf(ring))?.ring)) rings.set(subjectOf(ring), { ring, record });
  }
  const failed = await Promise.all([...rings.values()].map(one => tryOnce(world, queue, one)));
  return failures(failed.flatMap(record => record?.dynamodb?.SequenceNumber ?? []));
}

/** What drives a cluster also reconciles it; the other way round its workflow would be missing. */
const isCovered = (ring: Ring, before: Ring | undefined): boolean => before?.do === "drive" && ring.do === "reconcile";

/** @returns the record when its ring is lost unless Lambda hands it over again. */
async function tryOnce(
  world: World,
  queue: RingQueue,
  { ring, record }: { readonly ring: Ring; readonly record: BatchRecord },
): Promise<BatchRecord | undefined> {
  try {
    await answer(world, ring);
    return undefined;
  } catch (error) {
    world.log.error("a ring failed", { ring, reason: String(error) });
  }
  try {
    await queue.send(ring);
    return undefined;
  } catch (error) {
    world.log.error("a ring could not be queued", { ring, reason: String(error) });
    return record;
  }
}

/** @returns the messages of the queue that failed again. */
export async function ringAgain(world: World, { Records }: Batch): Promise<Failures> {
  const failed = await Promise.all(Records.map(record => again(world, record)));
  return failures(failed.flatMap(id => id ?? []));
}

async function again(world: World, { messageId = "", body = "" }: BatchRecord): Promise<string | undefined> {
  try {
    await answer(world, Ring.parse(JSON.parse(body)));
    return undefined;
  } catch (error) {
    world.log.error("a ring failed again", { message: messageId, reason: String(error) });
    return messageId;
  }
}

const failures = (ids: readonly string[]): Failures => ({
  batchItemFailures: ids.map(itemIdentifier => ({ itemIdentifier })),
});
