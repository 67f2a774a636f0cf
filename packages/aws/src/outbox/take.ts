/**
 * What is to be done outside. The stream only tells others of events, which is a few writes to the table, and queues what is
 * to be sent: a server that is slow to answer holds up neither the stream nor other workspaces. What fails is tried three
 * times; then it is a dead letter, which people can see and have tried anew.
 */
import { inTurns } from "@muster/core/fair.ts";
import { bury } from "@muster/core/outbox/bury.ts";
import { perform } from "@muster/core/outbox/deliver.ts";
import { Entry, entryFor, subjectOf } from "@muster/core/outbox/outbox.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import type { Batch, BatchRecord, Failures } from "../doorbell/batch.ts";
import type { Queue } from "../doorbell/queue.ts";
import { failures, inTime } from "../doorbell/time.ts";
import { changeOf } from "../table/stream.ts";

/** How many events are told at a time. */
const AT_ONCE = 16;

/** Seconds until one that failed is tried again; and how long SQS keeps a message back at most. */
const DELAY = 5;
const MOST_DELAY = 900;

/** How long one may take before it counts as failed, in ms: a call outside has time limits of its own, within this. */
const PATIENCE = 45_000;

/** How often the queue hands one over. */
const TRIES = 3;

interface Taken {
  readonly entry: Entry;
  readonly record: BatchRecord;
}

/** @returns the records of the stream of which nobody was told, and that could not be queued either. */
export async function takeAll(
  world: Outside,
  queue: Queue<Entry>,
  { Records }: Batch,
  patience: number = PATIENCE,
): Promise<Failures> {
  // Several changes of one thing are one entry: the last.
  const taken = new Map<string, Taken>();
  for (const record of Records) {
    const entry = read(world, record);
    if (entry) taken.set(subjectOf(entry), { entry, record });
  }
  const failed: string[] = [];
  await inTurns(
    taken.values(),
    ({ entry }) => entry.workspace,
    AT_ONCE,
    async one => {
      if (!(await isTaken(world, queue, one.entry, patience))) failed.push(one.record.dynamodb?.SequenceNumber ?? "");
    },
  );
  return failures(failed);
}

/** One that cannot be read would hold up all behind it for a day. */
function read(world: Outside, record: BatchRecord): Entry | undefined {
  try {
    return entryFor(changeOf(record));
  } catch (error) {
    world.log.error("a change could not be read", { reason: String(error) });
    world.log.count?.("DeadLetters", 1);
    return undefined;
  }
}

/** @returns false: it is lost unless Lambda hands it over again. */
async function isTaken(world: Outside, queue: Queue<Entry>, entry: Entry, patience: number): Promise<boolean> {
  const send = async (delay: number): Promise<boolean> => {
    try {
      await queue.send(entry, delay);
      return true;
    } catch (error) {
      world.log.error("it could not be queued", { entry: subjectOf(entry), reason: String(error) });
      return false;
    }
  };
  if (entry.do === "deliver") {
    const wait = Math.max(0, Math.ceil((entry.dueAt - world.clock.now()) / 1000));
    // What is due later is the sweep's to find.
    return wait > MOST_DELAY || send(wait);
  }
  try {
    await inTime(perform(world, entry), patience);
    return true;
  } catch (error) {
    world.log.error("something outside failed", { entry: subjectOf(entry), reason: String(error) });
    return send(DELAY);
  }
}

/** @returns the messages of the queue that failed. */
export async function takeQueued(world: Outside, { Records }: Batch, patience: number = PATIENCE): Promise<Failures> {
  const failed = await Promise.all(Records.map(record => again(world, record, patience)));
  return failures(failed.flatMap(id => id ?? []));
}

async function again(world: Outside, record: BatchRecord, patience: number): Promise<string | undefined> {
  const { messageId = "", body = "", attributes } = record;
  try {
    await inTime(perform(world, Entry.parse(JSON.parse(body))), patience);
    return undefined;
  } catch (error) {
    world.log.error("something outside failed again", { message: messageId, reason: String(error) });
    const isLast = Number(attributes?.ApproximateReceiveCount ?? 1) >= TRIES;
    return isLast && (await isBuried(world, body, error)) ? undefined : messageId;
  }
}

/** What cannot even be recorded is left to the queue, which puts it aside as it is. */
async function isBuried(world: Outside, body: string, error: unknown): Promise<boolean> {
  try {
    await bury(world, Entry.parse(JSON.parse(body)), TRIES, error);
    return true;
  } catch (failure) {
    world.log.error("a dead letter could not be recorded", { reason: String(failure) });
    return false;
  }
}
