/**
 * The agent's own stop: a machine whose control plane is silent, or whose lifetime is over, powers itself off.
 *
 * Silence does not count while an attempt runs, and after its end it counts from there, so that its log and its end may
 * still get home. The lifetime does not wait: attempts are ended first. Both move the machine's own timer, which is there for
 * the case that this agent dies. Where the control plane said that the machine need not end, a living agent is enough to
 * move it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Outcome } from "../attempt/record.ts";
import type { Clock } from "../control/clock.ts";
import { messageOf, readJson, writeWhole } from "../disk.ts";
import { boot } from "../host/boot.ts";
import type { Journal } from "../journal.ts";
import type { PowerOff } from "../types.ts";
import { Wake } from "../wait.ts";
import { Deadline } from "./deadline.ts";

export interface PowerOptions {
  /** For a shell. Absent: this agent never powers off. */
  readonly command: string | undefined;
  /** What the machine's timer reads. */
  readonly deadlineFile: string | undefined;
}

export interface PowerContext extends PowerOptions {
  /** Where the last order is kept. */
  readonly record: string;
  readonly clock: Clock;
  readonly journal: Journal;
  isBusy(): boolean;
  /** Ends every attempt, and returns when they are over, or could not be told of in some time. */
  endAll(why: Outcome): Promise<void>;
}

/** Seconds: what holds where the control plane does not say how long. */
const USUAL_SILENCE = 3600;
/** How often it is looked, at least, in ms. */
const TICK = 30_000;
/** After the command, the machine has this long to go down before it is told again, in ms. */
const AGAIN = 60_000;
const SHORTEST = 100;
const LIFETIME_OVER: Outcome = { cause: "host_lost", message: "The host's lifetime was over." };

export class Power {
  readonly #context: PowerContext;
  readonly #deadline: Deadline | undefined;
  readonly #wake = new Wake();
  #orders: PowerOff | undefined;
  /** Whether the control plane answered in this life of the machine: only then does the absence of orders say something. */
  #isTold: boolean;
  /** The end of a lifetime behind which the machine's timer was moved. */
  #overAt: number | undefined;
  /** When somebody last kept the machine, on the clock of `performance`. */
  #kept = performance.now();

  constructor(context: PowerContext) {
    this.#context = context;
    this.#deadline =
      context.deadlineFile === undefined ? undefined : new Deadline(context.deadlineFile, context.journal);
    const known = readJson<{ boot: string; orders?: PowerOff }>(context.record);
    // An order of the machine's former life says nothing about this one.
    this.#isTold = known?.boot === boot();
    this.#orders = this.#isTold ? known?.orders : undefined;
  }

  /** The control plane answered, and said this. */
  heard(orders: PowerOff | undefined): void {
    this.#kept = performance.now();
    if (!this.#isTold || JSON.stringify(orders) !== JSON.stringify(this.#orders)) this.#learn(orders);
    this.#extend();
    this.#wake.ring();
  }

  /** Goes on until it is told to stop. */
  async watch(quit: AbortSignal): Promise<void> {
    quit.addEventListener("abort", () => this.#wake.ring());
    while (!quit.aborted) await this.#wake.wait(await this.#look());
  }

  /** When to look again, in ms. */
  async #look(): Promise<number> {
    const isBusy = this.#context.isBusy();
    if (isBusy) this.#kept = performance.now();
    if (isBusy || (this.#isTold && this.#orders === undefined)) this.#extend();
    const left = Math.min(this.#lifeLeft(), this.#silenceLeft());
    if (left > 0) return Math.max(SHORTEST, Math.min(TICK, left));
    if (this.#context.command === undefined) return TICK;
    await this.#end(this.#context.command);
    return AGAIN;
  }

  #learn(orders: PowerOff | undefined): void {
    this.#isTold = true;
    this.#orders = orders;
    try {
      writeWhole(this.#context.record, JSON.stringify({ boot: boot(), orders }));
    } catch (error) {
      this.#context.journal.warn("order not written", { error: messageOf(error) });
    }
  }

  #extend(): void {
    const { afterSilence = USUAL_SILENCE, at } = this.#orders ?? {};
    const left = this.#lifeLeft() / 1000;
    // Behind the end of its lifetime this is moved once: what should end the machine may hang.
    if (left <= 0 && this.#overAt === at) return;
    this.#overAt = left <= 0 ? at : undefined;
    this.#deadline?.move(Math.min(afterSilence, left));
  }

  #lifeLeft(): number {
    const at = this.#orders?.at;
    return at === undefined ? Number.POSITIVE_INFINITY : at - this.#context.clock.now();
  }

  #silenceLeft(): number {
    const silence = this.#orders?.afterSilence;
    return silence === undefined ? Number.POSITIVE_INFINITY : this.#kept + silence * 1000 - performance.now();
  }

  async #end(command: string): Promise<void> {
    const { journal } = this.#context;
    const isOver = this.#lifeLeft() <= 0;
    journal.note("the machine powers off", { because: isOver ? "its lifetime is over" : "nobody keeps it" });
    if (isOver) await this.#context.endAll(LIFETIME_OVER);
    try {
      // One that hangs must not be the last.
      const how = { stdio: "ignore", detached: true, timeout: AGAIN, killSignal: "SIGKILL" } as const;
      const [code] = await once(spawn("/bin/sh", ["-c", command], how), "exit");
      if (code !== 0) journal.warn("the machine was not powered off", { code });
    } catch (error) {
      journal.warn("the machine was not powered off", { error: messageOf(error) });
    }
  }
}
