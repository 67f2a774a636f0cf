/**
 * What is run before the machine stops or ends, when the control plane says so: once for each id, whatever happens to the
 * agent meanwhile. That it begins is written down first; one that was cut off is not run again, and counts as over.
 *
 * It runs as the jobs' user, in the home of the jobs, when no attempt runs any more. The end of what it prints goes into the
 * agent's own log, which stays on the machine.
 */
import { dirname } from "node:path";
import { flushFolder, messageOf, readLightly, writeWhole } from "../disk.ts";
import type { Home } from "../home.ts";
import type { Surroundings } from "../host/surroundings.ts";
import type { Journal } from "../journal.ts";
import { endErrand, run } from "../script/errand.ts";
import type { Orders, Poll } from "../types.ts";
import { sleep } from "../wait.ts";

export interface HookContext {
  readonly home: Pick<Home, "hook" | "jobs">;
  readonly machine: Surroundings;
  readonly journal: Journal;
  /** Whether anything of an attempt runs. */
  isBusy(): boolean;
  /** It could not be written down that it begins. */
  lacksRoom(error: unknown): void;
  pollSoon(): void;
}

type Order = NonNullable<Orders["hook"]>;

interface Kept {
  readonly id: string;
  readonly isOver: boolean;
  readonly exitCode?: number;
}

/** Seconds between TERM and KILL. */
const GRACE = 10;
/** How often it is looked whether attempts have ended, in ms. */
const LOOK = 100;

export class Hooks {
  readonly #context: HookContext;
  readonly #quit = new AbortController();
  #kept: Kept | undefined;
  #running: Promise<void> | undefined;

  constructor(context: HookContext) {
    this.#context = context;
    this.#kept = readLightly<Kept>(context.home.hook);
  }

  /** Ends what a former agent has begun. */
  adopt(): void {
    const { id = "", isOver = true } = this.#kept ?? {};
    if (isOver) return;
    this.#context.journal.warn("a hook was cut off", { id });
    this.#running = endErrand(this.#context.home.hook, GRACE).then(() => this.#close({ id, isOver: true }));
  }

  /** The control plane wants this to be run, if it was not before. */
  heard(order: Order | undefined): void {
    if (order === undefined || order.id === this.#kept?.id || this.#running !== undefined) return;
    try {
      this.#write({ id: order.id, isOver: false });
      this.#running = this.#run(order);
    } catch (error) {
      // It is told again with the next poll.
      this.#context.journal.warn("a hook was not begun", { id: order.id, error: messageOf(error) });
      this.#context.lacksRoom(error);
    }
  }

  /** What the control plane is told: of the last hook, once it is over. */
  get said(): Poll["hooked"] {
    if (!this.#kept?.isOver) return undefined;
    const { id, exitCode } = this.#kept;
    return { id, ...(exitCode !== undefined && { exitCode }) };
  }

  /** Whether one runs: the machine is needed until it has ended. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** The machine goes down. */
  async shutDown(): Promise<void> {
    this.#quit.abort();
    await this.#running;
  }

  async #run({ id, run: text, timeout, env }: Order): Promise<void> {
    const { home, machine, journal } = this.#context;
    journal.note("a hook begins", { id });
    const until = performance.now() + timeout * 1000;
    const limit = (): number => (until - performance.now()) / 1000;
    while (this.#context.isBusy() && limit() > 0 && !this.#quit.signal.aborted) await sleep(LOOK);
    if (limit() <= 0 || this.#quit.signal.aborted) return this.#close({ id, isOver: true });
    const how = { mark: home.hook, machine, home: home.jobs, env, limit: limit(), grace: GRACE, isHeard: true };
    const { code, isCut, said } = await run({ text, ...how }, this.#quit.signal);
    journal.note("a hook has ended", { id, code, isCut, said });
    this.#close({ id, isOver: true, ...(code !== undefined && { exitCode: Math.min(255, code) }) });
  }

  #close(kept: Kept): void {
    this.#running = undefined;
    try {
      this.#write(kept);
    } catch (error) {
      this.#context.journal.warn("the end of a hook is not written", { id: kept.id, error: messageOf(error) });
    }
    this.#kept = kept;
    this.#context.pollSoon();
  }

  #write(kept: Kept): void {
    const path = this.#context.home.hook;
    writeWhole(path, JSON.stringify(kept));
    // After a power cut, too, it must be known that it was begun.
    flushFolder(dirname(path));
    this.#kept = kept;
  }
}
