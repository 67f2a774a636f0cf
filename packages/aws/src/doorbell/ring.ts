/**
 * Rings. Those of the stream are answered once; one that fails, or takes long, goes to a queue, so that it holds up nothing
 * behind it. The queue tries it three times; then it is a dead letter, which people can see and have tried anew.
 *
 * The stream is read in order, by a few readers for all workspaces: of each workspace so many rings of a batch are answered
 * there, and the rest goes to the queue, where each workspace has its turn. So no batch takes long, whoever wrote it.
 */

import { buryRing } from "@muster/core/deadletter/ring.ts";
import { answer, Ring, ringFor, subjectOf, workspaceOf } from "@muster/core/doorbell.ts";
import type { World } from "@muster/core/ports/world.ts";
import { changeOf } from "../table/stream.ts";
import type { Batch, BatchRecord, Failures } from "./batch.ts";
import type { RingQueue } from "./queue.ts";
import { failures, inTime } from "./time.ts";

/** How many rings of one workspace are answered of one batch of the stream. */
const SHARE = 10;

/** Seconds until one that failed is tried again. */
const DELAY = 5;

/** How long a ring may take before others are not kept waiting for it, in ms. */
const PATIENCE = 25_000;

/** How often the queue hands a ring over. */
const TRIES = 3;

interface Rung {
  readonly ring: Ring;
  readonly record: BatchRecord;
}

/** @returns the records of the stream whose rings could be neither answered nor queued. */
export async function ringAll(
  world: World,
  queue: RingQueue,
  { Records }: Batch,
  patience: number = PATIENCE,
): Promise<Failures> {
  // Several changes of one thing are one ring: the last.
  const rings = new Map<string, Rung>();
  for (const record of Records) {
    const ring = ringFor(changeOf(record));
    if (ring && !isCovered(ring, rings.get(subjectOf(ring))?.ring)) rings.set(subjectOf(ring), { ring, record });
  }
  const shares = Map.groupBy(rings.values(), ({ ring }) => workspaceOf(ring));
  const failed = await Promise.all(
    [...shares.values()].flatMap(share => [
      ...share.slice(0, SHARE).map(one => tryOnce(world, queue, one, patience)),
      ...share.slice(SHARE).map(one => send(world, queue, one, 0)),
    ]),
  );
  return failures(failed.flatMap(record => record?.dynamodb?.SequenceNumber ?? []));
}

/** What drives a cluster also reconciles it; the other way round its workflow would be missing. */
const isCovered = (ring: Ring, before: Ring | undefined): boolean => before?.do === "drive" && ring.do === "reconcile";

/** @returns the record when its ring is lost unless Lambda hands it over again. */
async function tryOnce(world: World, queue: RingQueue, rung: Rung, patience: number): Promise<BatchRecord | undefined> {
  try {
    await inTime(answer(world, rung.ring), patience);
    return undefined;
  } catch (error) {
    world.log.error("a ring failed", { ring: rung.ring, reason: String(error) });
    return send(world, queue, rung, DELAY);
  }
}

async function send(
  world: World,
  queue: RingQueue,
  { ring, record }: Rung,
  delay: number,
): Promise<BatchRecord | undefined> {
  try {
    await queue.send(ring, delay);
    return undefined;
  } catch (error) {
    world.log.error("a ring could not be queued", { ring, reason: String(error) });
    return record;
  }
}

/** @returns the messages of the queue that failed again. */
export async function ringAgain(world: World, { Records }: Batch, patience: number = PATIENCE): Promise<Failures> {
  const failed = await Promise.all(Records.map(record => again(world, record, patience)));
  return failures(failed.flatMap(id => id ?? []));
}

async function again(world: World, record: BatchRecord, patience: number): Promise<string | undefined> {
  const { messageId = "", body = "", attributes } = record;
  try {
    await inTime(answer(world, Ring.parse(JSON.parse(body))), patience);
    return undefined;
  } catch (error) {
    world.log.error("a ring failed again", { message: messageId, reason: String(error) });
    const isLast = Number(attributes?.ApproximateReceiveCount ?? 1) >= TRIES;
    return isLast && (await isBuried(world, body, error)) ? undefined : messageId;
  }
}

/** What cannot even be recorded is left to the queue, which puts it aside as it is. */
async function isBuried(world: World, body: string, error: unknown): Promise<boolean> {
  try {
    await buryRing(world, Ring.parse(JSON.parse(body)), TRIES, error);
    return true;
  } catch (failure) {
    world.log.error("a dead letter could not be recorded", { reason: String(failure) });
    return false;
  }
}
