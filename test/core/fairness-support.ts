/**
 * One workspace with ten thousand jobs, and another with something that can never be done, against those who have one job now
 * and then. The doorbell of AWS, the sweep and the bucket of launches are the real ones, over SQLite in memory; time is
 * virtual: a call of the table takes 5 ms, and 1 ms of the one processor of whoever calls. What hands the doorbell its batches is a model of ours, after AWS's word: a
 * stream that four readers read in order, each at most every 250 ms, and a queue that gives each group its turn.
 */
import type { BatchRecord } from "@muster/aws/doorbell/batch.ts";
import { ringAgain, ringAll } from "@muster/aws/doorbell/ring.ts";
import { encode } from "@muster/aws/table/item.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { list } from "@muster/core/deadletter/read.ts";
import { type Ring, workspaceOf } from "@muster/core/doorbell.ts";
import { FairQueue } from "@muster/core/fair.ts";
import { ulids } from "@muster/core/id.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Change, Item, Table, Write } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { change } from "@muster/core/quota/change.ts";
import { expect } from "vitest";
import { Rng } from "../simulation/rng.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, jobRequest } from "../support/requests.ts";
import { Virtual } from "../support/virtual.ts";
import { type TestWorld, testWorld } from "../support/world.ts";

export const SECOND = 1_000;
/** What a call of the table, or of the queue, takes: its answer, and the processor of whoever calls; in ms. */
const CALL = 5;
const CPU = 1;
export const JOBS = 10_000;
export const NOISY_CLUSTERS = 300;
export const QUIET = Array.from({ length: 20 }, (_, n) => `quiet${n}`);
export const NOISY = "noisy";
const POISON = "poison";

const actorOf = (workspace: string) => ({ workspace, id: "usr_ada", role: "admin" }) as const;

interface Stage {
  readonly time: Virtual;
  /** Of calls that take no time. */
  readonly fast: TestWorld;
  /** Ids of clusters that are ready, by workspace. */
  readonly clusters: Map<string, string[]>;
}

/** Clusters that are ready: one for each who is quiet, with a host for every job, and many of one host for whoever is not. */
async function stage(): Promise<Stage> {
  const fast: TestWorld = { ...testWorld(), random: seeded() };
  fast.provider.offered.splice(0, 2, ...fast.provider.offered.map(offer => ({ ...offer, hourly: 0 })));
  const time = new Virtual(fast.clock.now());
  const clusters = new Map<string, string[]>();
  const make = async (workspace: string, name: string, nodes: number) => {
    const { id } = await Create.create(fast, actorOf(workspace), clusterRequest({ name, nodes, idle: "never" }));
    await reconcile(fast, { workspace, clusterId: id });
    await enrollAll(fast);
    clusters.set(workspace, [...(clusters.get(workspace) ?? []), id]);
  };
  for (const workspace of QUIET) await make(workspace, "demo", 12);
  await change(fast, actorOf(NOISY), { clusters: null });
  for (let n = 0; n < NOISY_CLUSTERS; n++) await make(NOISY, `c${n}`, 1);
  for (let n = 0; n < 5; n++) await make(POISON, `c${n}`, 1);
  fast.changes.length = 0;
  return { time, fast, clusters };
}

/** The same ids in each run: they say which of the stream's readers comes to see what. */
function seeded(): TestWorld["random"] {
  const rng = new Rng(1);
  const secret = () => Array.from({ length: 64 }, () => rng.int(16).toString(16)).join("");
  return {
    ulid: ulids(
      () => 1,
      () => rng.next(),
    ),
    secret,
  };
}

/** One function that runs: what it calls takes time, and so does every call of its own processor. */
export class Instance {
  readonly #time: Virtual;
  #busyUntil = 0;

  constructor(time: Virtual) {
    this.#time = time;
  }

  async call<T>(run: () => Promise<T>): Promise<T> {
    const now = this.#time.now();
    this.#busyUntil = Math.max(now, this.#busyUntil) + CPU;
    await this.#time.sleep(this.#busyUntil - now + CALL);
    return run();
  }

  table(table: Table): Table {
    return {
      get: key => this.call(() => table.get(key)),
      query: ((query: never) => this.call(() => table.query(query))) as Table["query"],
      write: writes => this.call(() => table.write(writes)),
    };
  }
}

interface Message {
  readonly id: string;
  readonly ring: Ring;
  times: number;
}

/** How the stream and the queue call the doorbell; see the head of this file. */
class Mappings {
  readonly #stage: Stage;
  readonly #worldOf: (instance: Instance) => World;
  readonly #lanes: BatchRecord[][] = Array.from({ length: 4 }, () => []);
  readonly #queue = new FairQueue<Message>();
  /** Of each job, when it began. */
  readonly started = new Map<string, number>();
  readonly dead: Message[] = [];
  #count = 0;

  constructor(stage: Stage, worldOf: (instance: Instance) => World) {
    this.#stage = stage;
    this.#worldOf = worldOf;
  }

  run(until: number): void {
    for (const lane of this.#lanes) void this.#read(lane, until);
    for (let reader = 0; reader < 5; reader++) void this.#receive(until);
  }

  #gather(): void {
    for (const change of this.#stage.fast.changes.splice(0)) {
      if (!("item" in change)) continue;
      if (isStart(change)) this.started.set(String(change.item.data.subject), this.#stage.time.now());
      if (["event", "job", "array", "follow", "deadletter"].includes(change.item.type))
        this.#lanes[Keys.spread(change.item.pk) % 4]?.push(recordOf(change.item, this.#count++));
    }
  }

  async #read(lane: BatchRecord[], until: number): Promise<void> {
    const instance = new Instance(this.#stage.time);
    const send = (ring: Ring, delay: number) =>
      instance.call(async () => {
        const message = { id: `m${this.#count++}`, ring, times: 0 };
        this.#stage.time.at(this.#stage.time.now() + delay * SECOND, () => this.#queue.add(workspaceOf(ring), message));
      });
    while (this.#stage.time.now() < until) {
      this.#gather();
      const Records = lane.splice(0, 100);
      if (Records.length > 0) await ringAll(this.#worldOf(instance), { send }, { Records });
      // Behind, it reads on at once.
      await this.#stage.time.sleep(lane.length > 0 ? 1 : 250);
    }
  }

  async #receive(until: number): Promise<void> {
    const world = this.#worldOf(new Instance(this.#stage.time));
    while (this.#stage.time.now() < until) {
      const taken = Array.from({ length: 10 }, () => this.#queue.take()).filter(one => one !== undefined);
      const messages = taken.map(({ item }) => ({ ...item, times: item.times + 1 }));
      const { batchItemFailures } = await ringAgain(world, { Records: messages.map(handed) });
      const failed = new Set(batchItemFailures.map(one => one.itemIdentifier));
      for (const { owner } of taken) this.#queue.done(owner);
      for (const message of messages.filter(one => failed.has(one.id)))
        if (message.times >= 3) this.dead.push(message);
        else
          this.#stage.time.at(this.#stage.time.now() + 30 * SECOND, () =>
            this.#queue.add(workspaceOf(message.ring), message),
          );
      await this.#stage.time.sleep(taken.length > 0 ? 1 : 100);
    }
  }
}

export function dueOf(workspace: string, n: number): Write {
  const key = { pk: `W#${workspace}#X#${n}`, sk: "X" };
  // In the order of their numbers: those of the noisy one come first.
  const indexes = { due: Keys.due(key.pk, String(n), n) };
  return { put: { ...key, type: "job", data: { workspace, id: `job_${n}` }, indexes }, expect: "absent" };
}

const isStart = (change: Change): boolean =>
  "item" in change && change.item.type === "event" && change.item.data.kind === "job.starting";

const recordOf = (item: Item, n: number): BatchRecord => ({
  eventSource: "aws:dynamodb",
  eventName: item.version === 1 ? "INSERT" : "MODIFY",
  dynamodb: { SequenceNumber: String(n), NewImage: encode(item, item.version, "w") },
});

const handed = ({ id, ring, times }: Message): BatchRecord => ({
  eventSource: "aws:sqs",
  messageId: id,
  body: JSON.stringify(ring),
  attributes: { ApproximateReceiveCount: String(times) },
});

/** The world as an instance sees it. Reading what is about the clusters of one workspace fails, always. */
function poisoned({ time, fast, clusters }: Stage, instance: Instance): World {
  const bad = clusters.get(POISON) ?? [];
  const table = instance.table(fast.table);
  const get: Table["get"] = async key => {
    if (key.sk === "CLUSTER" && bad.some(id => key.pk.endsWith(id))) throw new Error("poison");
    return table.get(key);
  };
  return { ...fast, clock: { now: time.now }, table: { ...table, get } };
}

const MINUTE = 60 * SECOND;

/** How long the jobs of the quiet ones wait for their hosts, in ms: each hands in one every ten seconds for two minutes. */
export async function waits(isNoisy: boolean): Promise<{ waits: number[]; letters: readonly object[]; noisy: number }> {
  const set = await stage();
  const { time, fast, clusters } = set;
  const mappings = new Mappings(set, instance => poisoned(set, instance));
  const from = time.now();
  const submitted = new Map<string, number>();
  const hand = async (workspace: string, cluster: string) => {
    const { id } = await submit({ ...fast, clock: { now: time.now } }, actorOf(workspace), cluster, jobRequest());
    if (workspace !== NOISY && workspace !== POISON) submitted.set(id, time.now());
  };
  QUIET.forEach((workspace, n) => {
    for (let round = 0; round < 12; round++)
      time.at(from + round * 10 * SECOND + n * 487, () => void hand(workspace, clusters.get(workspace)?.[0] ?? ""));
  });
  if (isNoisy) {
    const all = clusters.get(NOISY) ?? [];
    // A thousand each second, from the second on.
    for (let n = 0; n < JOBS; n++) time.at(from + SECOND + n, () => void hand(NOISY, all[n % all.length] ?? ""));
    for (const id of clusters.get(POISON) ?? []) time.at(from + SECOND, () => void hand(POISON, id));
  }
  mappings.run(from + 2.5 * MINUTE);
  await time.run();
  const found = [...submitted].map(([id, at]) => (mappings.started.get(id) ?? Infinity) - at);
  expect(found).toHaveLength(240);
  expect(mappings.dead).toEqual([]);
  const { items } = await list({ table: fast.table }, actorOf(POISON), { limit: 100 });
  return { waits: found, letters: items, noisy: mappings.started.size - found.length };
}
