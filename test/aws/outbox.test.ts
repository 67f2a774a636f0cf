/**
 * The outbox's function: batches as Lambda hands them over, made here, over SQLite in memory with a receiver of the test's own.
 * Its queue is that of the doorbell, which is tried on moto's SQS.
 */
import type { BatchRecord } from "@muster/aws/doorbell/batch.ts";
import type { Queue } from "@muster/aws/doorbell/queue.ts";
import { takeAll, takeQueued } from "@muster/aws/outbox/take.ts";
import { encode } from "@muster/aws/table/item.ts";
import { list } from "@muster/core/deadletter/read.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Event from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Entry } from "@muster/core/outbox/outbox.ts";
import type { Draft } from "@muster/core/ports/table.ts";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ADMIN, listOf, made, type Receiving, receiving } from "../core/webhook-support.ts";

interface Sent {
  readonly entry: Entry;
  readonly delay: number;
}
const holding = (sent: Sent[]): Queue<Entry> => ({
  send: async (entry, delay) => void sent.push({ entry, delay }),
});

const recordOf = (item: Draft, n = 0): BatchRecord => ({
  eventSource: "aws:dynamodb",
  eventName: "INSERT",
  dynamodb: { SequenceNumber: String(n), NewImage: encode(item, 1, "w") },
});

const eventRecord = (n = 0, workspace = "acme"): BatchRecord => {
  const event = { id: `evt_${n}`, at: n, subject: `job_${n}`, kind: "job.failed" };
  return recordOf(Event.draft(Keys.job(workspace, event.subject), { id: "system" }, event), n);
};

/** Everything that was written since, as the stream tells it. */
const written = (world: Receiving): BatchRecord[] =>
  world.changes.splice(0).flatMap((change, n) => ("item" in change ? [recordOf(change.item, n)] : []));

const handed = (entry: Entry, times = 1): BatchRecord => ({
  eventSource: "aws:sqs",
  messageId: "m",
  body: JSON.stringify(entry),
  attributes: { ApproximateReceiveCount: String(times) },
});
const NONE = { batchItemFailures: [] };

afterEach(() => void vi.useRealTimers());

/** Reading webhooks fails, or never ends. */
function broken(world: Receiving, how: "fails" | "hangs"): Receiving {
  const query = (range: { readonly pk: string }) => {
    if (range.pk !== Keys.webhooks("acme")) return world.table.query(range);
    return how === "fails" ? Promise.reject(new MusterError("busy", "no")) : new Promise<never>(() => {});
  };
  return { ...world, table: { ...world.table, query: query as typeof world.table.query } };
}

describe("a batch of the stream", () => {
  test("tells of events at once, and queues what is to be sent", async () => {
    const world = receiving();
    await made(world);
    world.changes.length = 0;
    const sent: Sent[] = [];
    expect(await takeAll(world, holding(sent), { Records: [eventRecord(1), eventRecord(2)] })).toEqual(NONE);
    expect(sent).toEqual([]);
    expect(await listOf(world)).toHaveLength(2);
    expect(await takeAll(world, holding(sent), { Records: written(world) })).toEqual(NONE);
    expect(sent.map(({ entry, delay }) => [entry.do, delay])).toEqual([
      ["deliver", 0],
      ["deliver", 0],
    ]);
    expect(world.heard).toEqual([]);
    for (const { entry } of sent) expect(await takeQueued(world, { Records: [handed(entry)] })).toEqual(NONE);
    expect(world.heard).toHaveLength(2);
  });

  test("has what is due soon come again then, and leaves what is due later to the sweep", async () => {
    const world = receiving();
    await made(world);
    world.changes.length = 0;
    world.says({ status: 500 });
    const sent: Sent[] = [];
    await takeAll(world, holding(sent), { Records: [eventRecord(1)] });
    const delays: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      sent.length = 0;
      await takeAll(world, holding(sent), { Records: written(world) });
      delays.push(...sent.map(({ delay }) => delay));
      const [next] = sent.splice(0);
      if (next === undefined) break;
      world.clock.pass(next.delay * 1000);
      await takeQueued(world, { Records: [handed(next.entry)] });
    }
    // At once, after five seconds, after five minutes; half an hour is longer than a queue holds anything back.
    expect(delays.slice(0, 2)).toEqual([0, 5]);
    expect(delays).toHaveLength(3);
    expect(delays[2]).toBeGreaterThanOrEqual(300);
    expect(world.heard).toHaveLength(3);
  });

  test.each(["fails", "hangs"] as const)("queues an event of which telling %s, for later", async how => {
    vi.useFakeTimers();
    const sent: Sent[] = [];
    const done = takeAll(broken(receiving(), how), holding(sent), {
      Records: [eventRecord(1), eventRecord(2, "other")],
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await done).toEqual(NONE);
    expect(sent).toMatchObject([{ entry: { do: "relay", workspace: "acme" }, delay: 5 }]);
  });

  test("gives back what could be neither told nor queued", async () => {
    const send = () => Promise.reject(new Error("no queue"));
    const Records = [eventRecord(7), eventRecord(8, "other")];
    expect(await takeAll(broken(receiving(), "fails"), { send }, { Records })).toEqual({
      batchItemFailures: [{ itemIdentifier: "7" }],
    });
  });

  test("goes on past what nobody can read", async () => {
    const world = receiving();
    await made(world);
    const odd = recordOf({ pk: "W#acme#J#j", sk: "E#", type: "event", data: { no: "event" } }, 1);
    expect(await takeAll(world, holding([]), { Records: [odd, eventRecord(2)] })).toEqual(NONE);
    expect(world.errors).toEqual(["a change could not be read"]);
    expect(await listOf(world)).toHaveLength(1);
  });

  test("takes several changes of one thing for one", async () => {
    const world = receiving();
    const { id } = await made(world);
    const sent: Sent[] = [];
    const due = { workspace: "acme", id: "msg_1", webhookId: id };
    const Records = [5, 6].map(dueAt =>
      recordOf({ pk: "W#acme#WD#msg_1", sk: "DELIVERY", type: "webhookdelivery", data: { ...due, dueAt } }),
    );
    await takeAll(world, holding(sent), { Records });
    expect(sent).toMatchObject([{ entry: { dueAt: 6 } }]);
  });
});

describe("a message of the queue", () => {
  const relaying = {
    do: "relay",
    workspace: "acme",
    event: { id: "evt_1", at: 1, subject: "job_1", kind: "job.failed", actor: "a" },
  } as const;
  const again = { batchItemFailures: [{ itemIdentifier: "m" }] };

  test("that fails is tried three times, and then is a dead letter and leaves the queue", async () => {
    const world = receiving();
    const part = broken(world, "fails");
    for (const times of [1, 2]) expect(await takeQueued(part, { Records: [handed(relaying, times)] })).toEqual(again);
    expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
    expect(await takeQueued(part, { Records: [handed(relaying, 3)] })).toEqual(NONE);
    expect((await list(world, ADMIN, { limit: 10 })).items).toMatchObject([{ times: 3, canReplay: true }]);
  });

  test("that nobody can read is left to the queue", async () => {
    const odd = { ...handed(relaying, 3), body: "no entry" };
    expect(await takeQueued(receiving(), { Records: [odd] })).toEqual(again);
  });

  test("that hangs counts as one that failed, and lets go of the others", async () => {
    vi.useFakeTimers();
    const done = takeQueued(broken(receiving(), "hangs"), { Records: [handed(relaying)] });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await done).toEqual(again);
  });
});
