/**
 * The doorbell's function: batches as Lambda hands them over, made here, over SQLite in memory; and its queue on moto's SQS.
 * That AWS takes fair turns between the groups of a queue is AWS's word: moto does not.
 */

import { json } from "@muster/aws/call/json.ts";
import type { BatchRecord } from "@muster/aws/doorbell/batch.ts";
import { queue } from "@muster/aws/doorbell/queue.ts";
import { ringAgain, ringAll } from "@muster/aws/doorbell/ring.ts";
import { encode } from "@muster/aws/table/item.ts";
import { system } from "@muster/core/actor/actor.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { list } from "@muster/core/deadletter/read.ts";
import type { Ring } from "@muster/core/doorbell.ts";
import * as Event from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import type { World } from "@muster/core/ports/world.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { clusterRequest, stateOf } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { AwsError, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt } from "./table-support.ts";

const ADMIN = { ...ADA, role: "admin" } as const;

/** A record of the stream that rings for this cluster. */
function recordOf(workspace: string, clusterId: string, n = 0): BatchRecord {
  const owner = Keys.cluster(workspace, clusterId);
  const event = { id: `evt_${n}`, at: n, subject: clusterId, kind: "cluster.ready", clusterId };
  return {
    eventSource: "aws:dynamodb",
    eventName: "INSERT",
    dynamodb: {
      SequenceNumber: `${clusterId} ${n}`,
      NewImage: encode(Event.draft(owner, system(workspace), event), 1, "w"),
    },
  };
}

interface Sent {
  readonly ring: Ring;
  readonly delay: number;
}

const holding = (sent: Sent[]) => ({ send: async (ring: Ring, delay: number) => void sent.push({ ring, delay }) });
const idOf = (ring: Ring): string => ("ref" in ring ? ring.ref.clusterId : "");

/** Reading these clusters fails, or never ends; which were asked for is noted. */
function watched(world: TestWorld, spoilt: (pk: string) => "fails" | "hangs" | undefined, asked: string[] = []): World {
  const get = async (key: { pk: string; sk: string }) => {
    if (key.sk === "CLUSTER") asked.push(key.pk);
    const how = spoilt(key.pk);
    if (how === "fails") throw new Error("spoilt");
    return how === "hangs" ? new Promise<never>(() => undefined) : world.table.get(key);
  };
  return { ...world, table: { ...world.table, get } };
}

afterEach(() => void vi.useRealTimers());

describe("a batch of the stream", () => {
  test("answers so many rings of each workspace, and queues the rest at once", async () => {
    const asked: string[] = [];
    const sent: Sent[] = [];
    const world = watched(testWorld(), () => undefined, asked);
    const Records = [
      ...Array.from({ length: 90 }, (_, n) => recordOf("noisy", `clu_${n}`)),
      ...Array.from({ length: 9 }, (_, n) => recordOf("quiet", `clu_${n}`)),
    ];
    expect(await ringAll(world, holding(sent), { Records })).toEqual({ batchItemFailures: [] });
    expect(asked.filter(pk => pk.includes("quiet"))).toHaveLength(9);
    expect(asked.filter(pk => pk.includes("noisy"))).toHaveLength(10);
    expect(sent.map(({ ring, delay }) => [idOf(ring), delay])).toEqual(
      Array.from({ length: 80 }, (_, n) => [`clu_${n + 10}`, 0]),
    );
  });

  test("takes many changes of one thing for one ring", async () => {
    const asked: string[] = [];
    const world = watched(testWorld(), () => undefined, asked);
    const Records = Array.from({ length: 100 }, (_, n) => recordOf("noisy", "clu_1", n));
    await ringAll(world, holding([]), { Records });
    expect(asked).toHaveLength(1);
  });

  test.each(["fails", "hangs"] as const)("goes on past one that %s, which is queued for later", async how => {
    vi.useFakeTimers();
    const world = testWorld();
    const bad = await Create.create(world, ADA, clusterRequest({ name: "bad" }));
    const good = await Create.create(world, ADA, clusterRequest({ name: "good" }));
    const sent: Sent[] = [];
    const Records = [bad, good].map(({ id }) => recordOf(ADA.workspace, id));
    const done = ringAll(
      watched(world, pk => (pk.includes(bad.id) ? how : undefined)),
      holding(sent),
      { Records },
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(await stateOf(world, good.id)).toBe("booting");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await done).toEqual({ batchItemFailures: [] });
    expect(sent.map(({ ring, delay }) => [idOf(ring), delay])).toEqual([[bad.id, 5]]);
  });

  test("gives back what could be neither answered nor queued", async () => {
    const world = watched(testWorld(), pk => (pk.includes("clu_1") ? "fails" : undefined));
    const send = async () => Promise.reject(new Error("no queue"));
    const Records = [recordOf(ADA.workspace, "clu_1", 7), recordOf(ADA.workspace, "clu_2", 8)];
    expect(await ringAll(world, { send }, { Records })).toEqual({
      batchItemFailures: [{ itemIdentifier: "clu_1 7" }],
    });
  });
});

describe("a message of the queue", () => {
  const ring = { do: "reconcile", ref: { workspace: ADA.workspace, clusterId: "clu_1" } } as const;
  const handed = (times: number, body = JSON.stringify(ring)): BatchRecord => ({
    eventSource: "aws:sqs",
    messageId: "m",
    body,
    attributes: { ApproximateReceiveCount: String(times) },
  });
  const again = { batchItemFailures: [{ itemIdentifier: "m" }] };

  test("that fails is tried three times, and then is a dead letter and leaves the queue", async () => {
    const world = testWorld();
    const spoilt = watched(world, () => undefined);
    const table = { ...spoilt.table, query: spoilt.table.query };
    let isSpoilt = true;
    const get: typeof table.get = key =>
      isSpoilt && key.sk === "CLUSTER" ? Promise.reject(new Error("spoilt")) : world.table.get(key);
    const part = { ...world, table: { ...table, get } };
    for (const times of [1, 2]) expect(await ringAgain(part, { Records: [handed(times)] })).toEqual(again);
    expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
    expect(await ringAgain(part, { Records: [handed(3)] })).toEqual({ batchItemFailures: [] });
    expect((await list(world, ADMIN, { limit: 10 })).items).toMatchObject([{ times: 3, reason: "Error: spoilt" }]);
    isSpoilt = false;
    expect(await ringAgain(part, { Records: [handed(1)] })).toEqual({ batchItemFailures: [] });
  });

  test("that cannot even be recorded, or read, is left to the queue", async () => {
    const world = testWorld();
    const broken = { ...world, table: { ...world.table, get: async () => Promise.reject(new Error("no table")) } };
    expect(await ringAgain(broken, { Records: [handed(3)] })).toEqual(again);
    expect(await ringAgain(world, { Records: [handed(3, "not a ring")] })).toEqual(again);
  });

  test("that hangs lets go of the others, and counts as one that failed", async () => {
    vi.useFakeTimers();
    const world = testWorld();
    const part = watched(world, pk => (pk.includes("clu_1") && !pk.includes("DEAD") ? "hangs" : undefined));
    const done = ringAgain(part, { Records: [handed(3)] });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await done).toEqual({ batchItemFailures: [] });
    expect((await list(world, ADMIN, { limit: 10 })).items).toMatchObject([
      { reason: "Error: it took longer than 25 s" },
    ]);
  });
});

describe("the queue", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.close());

  test("takes rings by workspace, as messages that count how often they were handed over", async () => {
    const aws = awsAt(moto.url);
    const { QueueUrl } = await json(aws, "sqs", "CreateQueue", { QueueName: "rings" });
    const rings: Ring[] = [ADA, EVE].map(({ workspace }) => ({
      do: "reconcile",
      ref: { workspace, clusterId: "clu_1" },
    }));
    const made = queue(aws, String(QueueUrl));
    for (const ring of [...rings, { do: "moved", machineId: "i-1" } as const]) await made.send(ring, 0);
    const seen: unknown[] = [];
    for (let reads = 0; reads < 3; reads++) {
      const { Messages = [] } = (await json(aws, "sqs", "ReceiveMessage", {
        ...{ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 },
        AttributeNames: ["MessageGroupId", "ApproximateReceiveCount"],
      })) as { Messages?: { Body: string; Attributes: Record<string, string> }[] };
      seen.push(
        ...Messages.map(one => [
          JSON.parse(one.Body).do,
          one.Attributes.MessageGroupId,
          one.Attributes.ApproximateReceiveCount,
        ]),
      );
    }
    expect(seen).toContainEqual(["reconcile", ADA.workspace, "1"]);
    expect(seen).toContainEqual(["reconcile", EVE.workspace, "1"]);
    expect(seen).toContainEqual(["moved", "-", "1"]);
    expect(seen).toContainEqual(["reconcile", ADA.workspace, "3"]);
  });

  test("takes rings also where a queue that is not FIFO takes no groups", async () => {
    const sent: unknown[] = [];
    const send = (input: Readonly<Record<string, unknown>>) => {
      if (input.MessageGroupId !== undefined)
        throw new AwsError(
          "InvalidParameterValue",
          "The request include parameter that is not valid for this queue type",
        );
      sent.push(JSON.parse(String(input.MessageBody)));
      return { MessageId: "m" };
    };
    const edge = await startEdge({ moto, gaps: { "sqs.SendMessage": send } });
    const ring: Ring = { do: "reconcile", ref: { workspace: ADA.workspace, clusterId: "clu_1" } };
    await queue(awsAt(edge.url), "https://sqs.eu-west-1.amazonaws.com/123456789012/rings").send(ring, 0);
    await edge.close();
    expect(sent).toEqual([ring]);
  });
});
