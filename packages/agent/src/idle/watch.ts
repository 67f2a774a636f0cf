/**
 * What keeps a machine besides its jobs: sessions of people, busy cores and GPUs, and whatever a command of the user's says.
 * Looked at every 20 s, and only while the control plane wants it.
 *
 * Quiet is the time since anything of it was last seen busy. It begins anew when other things are to be watched, and after
 * a time in which nobody looked. It is measured since the machine's start: nobody sets that clock, and an agent that starts
 * anew goes on where the former one ended.
 *
 * The command says by its exit whether the machine is busy: 0 says that it is not. One that fails, cannot be started, or
 * takes longer than a minute says that it is: to stop what somebody needs is worse than to keep for too long what other
 * limits end. GPUs of which their tool does not say how busy they are, or not in time, are busy as well; where it fails, they are
 * not: without a driver, nothing works on them.
 */
import { rmSync } from "node:fs";
import { uptime } from "node:os";
import { messageOf, readLightly, writeLightly } from "../disk.ts";
import { boot } from "../host/boot.ts";
import { Cores } from "../host/cores.ts";
import { busyGpus } from "../host/gpus.ts";
import type { Orders, Poll } from "../types.ts";
import { Wake } from "../wait.ts";
import { Question, type QuestionContext } from "./question.ts";
import { sessions } from "./sessions.ts";

type Order = NonNullable<Orders["watch"]>;
type Quiet = NonNullable<Poll["pulse"]["quiet"]>;

/** Times are seconds since the machine's start. */
interface Seen {
  readonly order: Order;
  /** When something was last busy, or when this was first watched. */
  readonly busyAt: number;
  /** What that was. */
  readonly by?: Quiet["by"];
  readonly lookedAt: number;
}

/** How often it is looked, in ms. */
const EVERY = 20_000;
/** After so many seconds without a look nobody knows what was busy meanwhile. */
const BLIND = 120;
/** What a look says holds for so many seconds after it: the next is under way by then. */
const HOLDS = 40;
const GPU_LIMIT = 15_000;

export class Watch {
  readonly #context: QuestionContext;
  readonly #question: Question;
  readonly #every: number;
  readonly #wake = new Wake();
  #seen: Seen | undefined;
  #isBusy = false;
  readonly #cores = new Cores();

  constructor(context: QuestionContext, every = EVERY) {
    this.#context = context;
    this.#every = every;
    this.#question = new Question(context, () => this.#wake.ring());
    const known = readLightly<Seen & { readonly boot: string }>(context.home.watch);
    if (known?.boot !== boot()) return;
    const { boot: _, ...seen } = known;
    this.#seen = seen;
    this.#question.put(seen.order.command);
  }

  /** The control plane wants this to be watched, or nothing. */
  heard(order: Order | undefined): void {
    if (JSON.stringify(order) === JSON.stringify(this.#seen?.order)) return;
    this.#question.put(order?.command);
    this.#isBusy = false;
    this.#seen = undefined;
    if (order === undefined) rmSync(this.#context.home.watch, { force: true });
    else this.#seen = { order, busyAt: uptime(), lookedAt: uptime() };
    this.#cores.take();
    this.#wake.ring();
  }

  /** Undefined while nothing is watched. */
  get quiet(): Quiet | undefined {
    if (this.#seen === undefined) return undefined;
    const { busyAt, lookedAt, by } = this.#seen;
    const until = Math.min(uptime(), lookedAt + HOLDS);
    return { seconds: Math.max(0, Math.round(until - busyAt)), ...(by && { by }) };
  }

  /** Whether anything that is watched was busy at the last look. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Returns when nothing of what was asked is left. */
  shutDown(): Promise<void> {
    return this.#question.leave();
  }

  /** Goes on until it is told to stop. */
  async watch(quit: AbortSignal): Promise<void> {
    quit.addEventListener("abort", () => {
      this.#question.put(undefined);
      this.#wake.ring();
    });
    while (!quit.aborted) {
      if (this.#seen !== undefined) await this.#look(this.#seen);
      await this.#wake.wait(this.#seen === undefined ? Number.POSITIVE_INFINITY : this.#every);
    }
  }

  async #look(seen: Seen): Promise<void> {
    const by = await this.#busy(seen.order);
    // Other orders may have come meanwhile.
    if (this.#seen !== seen) return;
    this.#isBusy = by !== undefined;
    // What has not answered yet may have been busy all the time.
    if (by === undefined && !this.#question.isKnown) return;
    const now = uptime();
    const wasBlind = now - seen.lookedAt > BLIND;
    const busy = by !== undefined ? { busyAt: now, by } : wasBlind && { busyAt: now, by: undefined };
    this.#seen = { ...seen, ...busy, lookedAt: now };
    try {
      writeLightly(this.#context.home.watch, JSON.stringify({ boot: boot(), ...this.#seen }));
    } catch (error) {
      this.#context.journal.warn("what was seen is not written", { error: messageOf(error) });
    }
  }

  async #busy({ sessions: counts, cpuBelow, gpuBelow }: Order): Promise<Quiet["by"]> {
    const cpu = this.#cores.take();
    const saysBusy = this.#question.ask();
    if (counts && sessions() > 0) return "sessions";
    if (cpuBelow !== undefined && cpu > cpuBelow) return "cpu";
    if (gpuBelow !== undefined) {
      const gpus = await busyGpus(this.#context.machine.smi, GPU_LIMIT);
      if (gpus === undefined || gpus.some(gpu => gpu === undefined || gpu > gpuBelow)) return "gpu";
    }
    return saysBusy ? "command" : undefined;
  }
}
