/**
 * Brings one attempt's log home: stage by stage, the agent's notes last; chunk by chunk, one at a time, in order.
 *
 * Lifecycle: `run` goes on until every phase is closed and sent, or until the time that `deadline` sets has come. A phase
 * is closed when nothing more will be written to it; the phases of a stage are written at the same time, and take turns; the
 * next stage is not looked at before all of them are closed. Once the scripts have printed more than the quota, only the
 * notes are left to be sent, and they say so at once.
 * Gotchas: the last chunk on record may not have arrived before a crash, so every start sends it again. What is stored of
 * a chunk is shorter than its bytes in the file where secrets were hidden: nobody may take one for the other. Bytes that are
 * gone from the disk may be home: a chunk that is not whole any more is left as it is there.
 */
import { join } from "node:path";
import type { Clock } from "../control/clock.ts";
import { messageOf, sizeOf } from "../disk.ts";
import type { Journal } from "../journal.ts";
import type { Phase } from "../script/texts.ts";
import { FolderWatch } from "../script/watch.ts";
import type { LogPolicy } from "../types.ts";
import { backoff, Wake } from "../wait.ts";
import * as Chunks from "./chunks.ts";
import type { Mask } from "./mask.ts";
import { Pace } from "./pace.ts";
import { Quota } from "./quota.ts";
import { lineEnd, upload } from "./upload.ts";

const LARGEST = 4 * 1024 * 1024;
/** A grant that ends so soon is renewed. */
const MARGIN = 60_000;
const REFRESH_PAUSE = 5_000;
/** How often the size of the output is looked at. */
const TICK = 1_000;
const FOLLOWED_TICK = 100;

export interface ShipperOptions {
  readonly folder: string;
  /** The log's parts, in order; those of one stage are written at the same time. */
  readonly stages: readonly (readonly Phase[])[];
  readonly policy: LogPolicy;
  readonly clock: Clock;
  readonly journal: Journal;
  /** The most bytes of what the scripts print that are sent; absent: all. */
  readonly quota?: number | undefined;
  /** Hides the job's secrets in what it printed. */
  readonly mask: Mask;
  /** Asks the control plane for a fresh grant, soon. */
  readonly refresh: () => void;
  /** Aborts when the attempt is no longer this agent's. */
  readonly halt: AbortSignal;
}

export interface Shipped {
  readonly chunks: number;
  readonly complete: boolean;
}

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #wake = new Wake();
  readonly #closed = new Set<Phase>();
  #quota: Quota;
  #policy: LogPolicy;
  #refreshedAt = 0;
  #followUntil = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #watch: FolderWatch | undefined;
  /** What comes next: the chunk's number, the stage of its phase, and whose turn it is there. */
  #sequence = 0;
  #stage = 0;
  #turn = 0;
  /** Where in a phase's file its next chunk begins. */
  #offsets = new Map<Phase, number>();
  /** By their place in a stage: what goes on in the next one goes on at the same pace. */
  #paces = new Map<number, Pace>();
  #isWhole = true;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#quota = new Quota(options.folder, options.quota);
    options.halt.addEventListener("abort", () => this.#wake.ring());
  }

  renew(policy: LogPolicy): void {
    this.#policy = policy;
    this.#wake.ring();
  }

  /** Until then, by the control plane's clock, somebody looks. */
  follow(until: number): void {
    this.#followUntil = until;
    this.#wake.ring();
  }

  close(phase: Phase): void {
    this.#closed.add(phase);
    this.#wake.ring();
  }

  /** After this moment, by this machine's clock, what could not be sent is given up. */
  expire(at: number): void {
    this.#deadline = at;
    this.#wake.ring();
  }

  /** Sends until the end, from wherever the records say. May be called again when it has rejected. */
  async run(): Promise<Shipped> {
    const chunks = Chunks.load(this.#options.folder);
    const last = chunks.at(-1);
    this.#begin(chunks.slice(0, -1), last);
    try {
      const isSent = (last === undefined || (await this.#send(last))) && (await this.#ship());
      return { chunks: this.#sequence, complete: isSent && this.#isWhole };
    } finally {
      this.#watch?.close();
    }
  }

  /** Sends every chunk on record again. */
  async resend(): Promise<boolean> {
    for (const chunk of Chunks.load(this.#options.folder)) if (!(await this.#deliver(chunk))) return false;
    return this.#isWhole;
  }

  async #ship(): Promise<boolean> {
    for (;;) {
      this.#options.halt.throwIfAborted();
      this.#skipFinished();
      if (this.#stageNow === undefined) return true;
      const chunk = this.#due(this.#stageNow);
      if (this.#quota.isCut && !this.#isAtNotes()) {
        this.#skipToNotes();
        continue;
      }
      if (chunk === undefined) {
        await this.#pause();
        continue;
      }
      // The first output is found: from now on every write would ring.
      this.#watch?.close();
      Chunks.add(this.#options.folder, chunk);
      if (!(await this.#send(chunk))) return false;
    }
  }

  get #stageNow(): readonly Phase[] | undefined {
    return this.#options.stages[this.#stage];
  }

  #begin(sent: readonly Chunks.Chunk[], last: Chunks.Chunk | undefined): void {
    this.#quota = new Quota(this.#options.folder, this.#options.quota);
    this.#offsets = new Map();
    this.#paces = new Map(last === undefined ? [] : [[0, new Pace(Date.now())]]);
    this.#stage = last === undefined ? 0 : this.#options.stages.findIndex(stage => stage.includes(last.phase));
    this.#sequence = last?.sequence ?? 0;
    for (const chunk of sent) this.#count(chunk);
  }

  #count(chunk: Chunks.Chunk): void {
    this.#quota.take(chunk);
    this.#offsets.set(chunk.phase, chunk.to);
  }

  async #send(chunk: Chunks.Chunk): Promise<boolean> {
    if (!(await this.#deliver(chunk))) return false;
    this.#count(chunk);
    this.#sequence = chunk.sequence + 1;
    return true;
  }

  #isAtNotes(): boolean {
    return this.#stageNow?.includes("muster") === true;
  }

  #skipToNotes(): void {
    this.#stage = this.#options.stages.findIndex(stage => stage.includes("muster"));
    this.#quota.note();
  }

  #skipFinished(): void {
    while (this.#stageNow?.every(phase => this.#isOver(phase))) {
      this.#stage++;
      this.#turn = 0;
    }
  }

  /** The order matters: a phase that was closed before its size was read has no more than that. */
  #isOver(phase: Phase): boolean {
    if (!this.#closed.has(phase)) return false;
    const pending = this.#pending(phase);
    // What was there and is not any more went with its disk, and perhaps some that was never sent.
    if (pending < 0) this.#isWhole = false;
    return pending <= 0;
  }

  #due(stage: readonly Phase[]): Chunks.Chunk | undefined {
    for (const step of stage.keys()) {
      const index = (this.#turn + step) % stage.length;
      const phase = stage[index];
      const chunk = phase && this.#dueOf(phase, index);
      if (chunk === undefined) continue;
      this.#turn = index + 1;
      return chunk;
    }
    return undefined;
  }

  #dueOf(phase: Phase, index: number): Chunks.Chunk | undefined {
    const closed = this.#closed.has(phase);
    const moment = { now: Date.now(), pending: this.#pending(phase), followed: this.#isFollowed(), closed };
    const pace = this.#paces.get(index) ?? new Pace();
    this.#paces.set(index, pace);
    if (!pace.isDue(moment)) return undefined;
    const from = this.#offsetOf(phase);
    const to = this.#cut(phase, moment.pending, closed);
    if (to <= from) return undefined;
    pace.sent(moment);
    return { sequence: this.#sequence, phase, from, to };
  }

  /** Where the next chunk ends: behind a line, if there is a whole one; else before what may become a secret. */
  #cut(phase: Phase, pending: number, closed: boolean): number {
    const from = this.#offsetOf(phase);
    const allowed = this.#quota.most(phase, pending);
    const most = Math.min(allowed, this.#policy.maxBytes, LARGEST);
    if (closed && most === pending) return from + most;
    const path = this.#path(phase);
    const end = most === 0 ? undefined : lineEnd(path, from, from + most);
    // Whole lines only before the cut; unless there is none at all.
    if (end === undefined && most === allowed && allowed < pending && this.#quota.cut()) return from;
    if (end !== undefined || closed) return end ?? from + most;
    return Math.min(from + most, this.#options.mask.known(path, from + pending));
  }

  async #pause(): Promise<void> {
    if (this.#sequence > 0) return this.#wake.wait(this.#isFollowed() ? FOLLOWED_TICK : TICK);
    // Nothing was ever sent: the first output is noticed at once, also what came before it was watched for.
    if (this.#watch !== undefined) return this.#wake.wait(TICK);
    this.#watch = new FolderWatch(join(this.#options.folder, "out"), this.#wake);
  }

  async #deliver(chunk: Chunks.Chunk): Promise<boolean> {
    for (let failures = 0; ; failures++) {
      this.#options.halt.throwIfAborted();
      if (sizeOf(this.#path(chunk.phase)) < chunk.to) {
        this.#isWhole = false;
        return true;
      }
      if (await this.#tryOnce(chunk, failures)) return true;
      if (Date.now() >= this.#deadline) return false;
      await this.#wake.wait(Math.min(backoff(failures), this.#deadline - Date.now()));
    }
  }

  async #tryOnce(chunk: Chunks.Chunk, failures: number): Promise<boolean> {
    const left = this.#policy.expiresAt - this.#options.clock.now();
    if (left < MARGIN) this.#refresh();
    if (left <= 0) return false;
    try {
      const status = await upload(this.#policy, chunk, this.#path(chunk.phase), this.#options.mask);
      if (status >= 200 && status < 300) return true;
      if (status === 403) this.#refresh();
      this.#options.journal.warn("log chunk refused", { sequence: chunk.sequence, status, failures });
    } catch (error) {
      this.#options.journal.warn("log chunk not sent", { sequence: chunk.sequence, error: messageOf(error), failures });
    }
    return false;
  }

  #refresh(): void {
    if (Date.now() - this.#refreshedAt < REFRESH_PAUSE) return;
    this.#refreshedAt = Date.now();
    this.#options.refresh();
  }

  #isFollowed(): boolean {
    return this.#options.clock.now() < this.#followUntil;
  }

  #pending(phase: Phase): number {
    return sizeOf(this.#path(phase)) - this.#offsetOf(phase);
  }

  #offsetOf(phase: Phase): number {
    return this.#offsets.get(phase) ?? 0;
  }

  #path(phase: Phase): string {
    return join(this.#options.folder, "out", `${phase}.log`);
  }
}
