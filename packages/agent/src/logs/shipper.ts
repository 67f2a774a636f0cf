/**
 * Brings one attempt's log home: phase by phase, the agent's notes last; chunk by chunk, one at a time, in order.
 *
 * Lifecycle: `run` goes on until every phase is closed and sent, or until the time that `deadline` sets has come. A phase
 * is closed when nothing more will be written to it; the next one is not looked at before. Once the scripts have printed
 * more than the quota, only the notes are left to be sent, and they say so at once.
 * Gotchas: the last chunk on record may not have arrived before a crash, so every start sends it again. What is stored of
 * a chunk is shorter than its bytes in the file where secrets were hidden: nobody may take one for the other.
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
  /** The log's parts, in order. */
  readonly phases: readonly Phase[];
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
  readonly #quota: Quota;
  #policy: LogPolicy;
  #refreshedAt = 0;
  #followUntil = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #pace = new Pace();
  #watch: FolderWatch | undefined;
  /** What comes next: the chunk's number, its phase, and where in the phase's file it begins. */
  #sequence = 0;
  #phase = 0;
  #offset = 0;

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

  /** Sends until the end, from wherever the records say. */
  async run(): Promise<Shipped> {
    const chunks = Chunks.load(this.#options.folder);
    const last = chunks.at(-1);
    for (const chunk of chunks.slice(0, -1)) this.#quota.take(chunk);
    this.#pace = new Pace(last === undefined ? undefined : Date.now());
    this.#moveTo(last);
    try {
      const complete = (last === undefined || (await this.#send(last))) && (await this.#ship());
      return { chunks: this.#sequence, complete };
    } finally {
      this.#watch?.close();
    }
  }

  /** Sends every chunk on record again. */
  async resend(): Promise<boolean> {
    for (const chunk of Chunks.load(this.#options.folder)) if (!(await this.#deliver(chunk))) return false;
    return true;
  }

  async #ship(): Promise<boolean> {
    for (;;) {
      this.#options.halt.throwIfAborted();
      this.#skipFinished();
      const phase = this.#phaseNow;
      if (phase === undefined) return true;
      const chunk = this.#due(phase);
      if (this.#quota.isCut && phase !== "muster") {
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

  get #phaseNow(): Phase | undefined {
    return this.#options.phases[this.#phase];
  }

  #moveTo(chunk: Chunks.Chunk | undefined): void {
    this.#sequence = chunk?.sequence ?? 0;
    this.#phase = chunk === undefined ? 0 : this.#options.phases.indexOf(chunk.phase);
    this.#offset = chunk?.from ?? 0;
  }

  async #send(chunk: Chunks.Chunk): Promise<boolean> {
    if (!(await this.#deliver(chunk))) return false;
    this.#quota.take(chunk);
    this.#sequence = chunk.sequence + 1;
    this.#offset = chunk.to;
    return true;
  }

  #skipToNotes(): void {
    this.#phase = this.#options.phases.indexOf("muster");
    this.#offset = 0;
    this.#quota.note();
  }

  /** The order matters: a phase that was closed before its size was read has no more than that. */
  #skipFinished(): void {
    for (let phase = this.#phaseNow; phase !== undefined; phase = this.#phaseNow) {
      if (!this.#closed.has(phase) || this.#pending(phase) > 0) return;
      this.#phase++;
      this.#offset = 0;
    }
  }

  #due(phase: Phase): Chunks.Chunk | undefined {
    const closed = this.#closed.has(phase);
    const moment = { now: Date.now(), pending: this.#pending(phase), followed: this.#isFollowed(), closed };
    if (!this.#pace.isDue(moment)) return undefined;
    const to = this.#cut(phase, moment.pending, closed);
    if (to <= this.#offset) return undefined;
    this.#pace.sent(moment);
    return { sequence: this.#sequence, phase, from: this.#offset, to };
  }

  /** Where the next chunk ends: behind a line, if there is a whole one; else before what may become a secret. */
  #cut(phase: Phase, pending: number, closed: boolean): number {
    const allowed = this.#quota.most(phase, pending);
    const most = Math.min(allowed, this.#policy.maxBytes, LARGEST);
    if (closed && most === pending) return this.#offset + most;
    const path = this.#path(phase);
    const end = most === 0 ? undefined : lineEnd(path, this.#offset, this.#offset + most);
    // Whole lines only before the cut; unless there is none at all.
    if (end === undefined && most === allowed && allowed < pending && this.#quota.cut()) return this.#offset;
    if (end !== undefined || closed) return end ?? this.#offset + most;
    return Math.min(this.#offset + most, this.#options.mask.known(path, this.#offset + pending));
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
    return sizeOf(this.#path(phase)) - this.#offset;
  }

  #path(phase: Phase): string {
    return join(this.#options.folder, "out", `${phase}.log`);
  }
}
