/** The user's own command that says whether the machine is busy. Never more than one of them runs. */
import type { Home } from "../home.ts";
import type { Surroundings } from "../host/surroundings.ts";
import type { Journal } from "../journal.ts";
import { endErrand, run } from "../script/errand.ts";

export interface QuestionContext {
  readonly home: Pick<Home, "watch" | "jobs">;
  readonly machine: Surroundings;
  readonly journal: Journal;
}

interface Times {
  /** It begins no sooner than so many seconds after the one before. */
  readonly every: number;
  /** Seconds that it has. */
  readonly limit: number;
}

const USUAL: Times = { every: 60, limit: 60 };
const GRACE = 5;

export class Question {
  readonly #context: QuestionContext;
  readonly #changed: () => void;
  readonly #times: Times;
  #command: string | undefined;
  #left = new AbortController();
  /** When the last one began, on the clock of `performance`. */
  #beganAt = 0;
  /** Whether this command was not asked before. */
  #isNew = true;
  #asked: Promise<void> | undefined;
  #hasAnswered = false;
  #saysBusy = false;

  /** `changed` is called when it answers for the first time, and when it says something else than before. */
  constructor(context: QuestionContext, changed: () => void, times = USUAL) {
    this.#context = context;
    this.#changed = changed;
    this.#times = times;
  }

  /** From now on this is asked, or nothing; one that runs is ended. */
  put(command: string | undefined): void {
    this.#left.abort();
    this.#left = new AbortController();
    this.#command = command;
    this.#saysBusy = false;
    this.#hasAnswered = false;
    this.#isNew = true;
  }

  /** Nothing is asked any more; returns when all of it is gone. */
  async leave(): Promise<void> {
    this.put(undefined);
    await this.#asked;
  }

  /** Whether there is nothing to ask, or an answer. */
  get isKnown(): boolean {
    return this.#command === undefined || this.#hasAnswered;
  }

  /** What it said last: not busy, until that is known. Asks anew when it is time. */
  ask(): boolean {
    const isTime = this.#isNew || performance.now() - this.#beganAt >= this.#times.every * 1000;
    if (this.#asked === undefined && this.#command !== undefined && isTime)
      this.#asked = this.#run(this.#command).finally(() => {
        this.#asked = undefined;
      });
    return this.#saysBusy;
  }

  async #run(text: string): Promise<void> {
    const { home, machine, journal } = this.#context;
    const { signal } = this.#left;
    const wasNew = this.#isNew;
    this.#isNew = false;
    this.#beganAt = performance.now();
    // A former agent may have left one.
    if (wasNew) await endErrand(home.watch, GRACE);
    const { limit } = this.#times;
    const how = { mark: home.watch, machine, home: home.jobs, limit, grace: GRACE, isHeard: false };
    const answer = signal.aborted ? undefined : await run({ text, ...how }, signal);
    if (signal.aborted || answer === undefined) return;
    const { code, isCut, said } = answer;
    const saysBusy = code !== 0 || isCut;
    if (this.#hasAnswered && saysBusy === this.#saysBusy) return;
    this.#hasAnswered = true;
    this.#saysBusy = saysBusy;
    journal.note("the idle command answers otherwise", { saysBusy, code, isCut, ...(said !== "" && { said }) });
    this.#changed();
  }
}
