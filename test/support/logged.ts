/** A job whose log a test writes by hand: its tries, its chunks and its end, through core's own lifecycles. */
import * as Attempt from "@muster/core/attempt/attempt.ts";
import * as Job from "@muster/core/job/job.ts";
import type { life } from "@muster/core/job/life.ts";
import * as Keys from "@muster/core/keys.ts";
import type { BlobHead, Blobs } from "@muster/core/ports/blobs.ts";
import { advance, begin, insert, load, type Patch } from "@muster/core/record.ts";
import { ADA, memoryBlobs, type TestWorld } from "./world.ts";

export const ID = "job_00000000000000000000000000";
export const CLUSTER = "clu_00000000000000000000000000";

type Event = Parameters<typeof life.next>[1];

export class Logged {
  readonly world: TestWorld;
  readonly nodes: number;
  #fence = 0;
  /** Tries so far. */
  attempts = 0;
  #next: number[] = [];
  /** What was printed, by `<attempt>/<rank>`. */
  readonly printed = new Map<string, string>();

  constructor(world: TestWorld, nodes = 1) {
    this.world = world;
    this.nodes = nodes;
  }

  /** Queued. */
  async submit(): Promise<this> {
    const now = this.world.clock.now();
    const job = Job.Job.parse({
      ...{ id: ID, workspace: "acme", clusterId: CLUSTER, clusterName: "demo", owner: ADA.id, priority: 500 },
      ...{ nodes: this.nodes, down: false, attempts: 0, createdAt: now, changedAt: now, state: "queued", dueAt: now },
    });
    await this.world.table.write([...begin(this.world, Job.noun, ADA, job)]);
    return this;
  }

  /** The next try has its hosts; fences are not without gaps. */
  async place(): Promise<void> {
    this.#fence += 2;
    this.attempts += 1;
    this.#next = Array.from({ length: this.nodes }, () => 0);
    const placement = this.#next.map((_, rank) => rank);
    await this.move("place", { fence: this.#fence, placement, attempts: this.attempts, dueAt: 0 });
  }

  async move(event: Event, patch: Patch<Job.Job> = {}, message?: string): Promise<void> {
    this.world.clock.pass(1);
    const job = await load(this.world.table, Job.noun, Keys.job("acme", ID));
    if (job === undefined) throw new Error("there is no job");
    const move = advance(this.world, Job.kind, ADA, job, event, patch, message === undefined ? {} : { message });
    await this.world.table.write(move.writes);
  }

  async print(text: string, { rank = 0, phase = "run" } = {}): Promise<void> {
    const prefix = Attempt.logPrefix("acme", ID, this.#fence, rank);
    const sequence = this.#next[rank] ?? 0;
    this.#next[rank] = sequence + 1;
    await this.world.blobs.put(Attempt.chunkKey(prefix, sequence, phase), Buffer.from(text));
    const name = `${this.attempts}/${rank}`;
    this.printed.set(name, (this.printed.get(name) ?? "") + text);
  }

  /** All its hosts are lost; it is to be tried again. */
  async lose(): Promise<void> {
    for (let rank = 0; rank < this.nodes; rank++) {
      const of = { workspace: "acme", jobId: ID, clusterId: CLUSTER, hostId: "hst", fence: this.#fence, rank };
      const { version, rest, ...row } = Attempt.assigned(of, this.world.clock.now());
      await this.world.table.write([insert(Attempt.noun, { ...row, state: "lost", cause: "host_lost" })]);
    }
    await this.move("recover", { dueAt: 0 }, "a host was lost");
  }

  requeue = (): Promise<void> => this.move("requeue", { dueAt: 0 });
  succeed = (): Promise<void> => this.move("succeed", { endedAt: this.world.clock.now(), logsComplete: true });
}

/** Blobs in memory that know in which second they were written, as S3 does, and count what is asked of them. */
export function timedBlobs(now: () => number) {
  const inner = memoryBlobs();
  const times = new Map<string, number>();
  const asked = { lists: 0, gets: 0 };
  const timed = (head: BlobHead): BlobHead => ({ ...head, writtenAt: times.get(head.key) ?? 0 });
  const blobs: Blobs = {
    ...inner,
    put: async (key, bytes) => {
      times.set(key, Math.floor(now() / 1000) * 1000);
      await inner.put(key, bytes);
    },
    get: async key => {
      asked.gets++;
      return inner.get(key);
    },
    list: async (prefix, options) => {
      asked.lists++;
      return (await inner.list(prefix, options)).map(timed);
    },
  };
  return { blobs, asked };
}
