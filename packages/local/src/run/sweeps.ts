/** Sweeps take turns; but one that takes long, such as behind an agent that is slow to stop, holds up the next for a moment only. */

export type Sweep = () => Promise<unknown>;

/** How long a sweep has the field to itself, in ms. */
const MOMENT = 2_000;
/** Sweeps at once; when all of them hang, the next waits. */
const MOST = 3;

export class Sweeps {
  readonly #onError: (error: unknown) => void;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: Sweep[] = [];
  /** Runs out when the youngest sweep has had its moment. */
  #moment: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Runs the sweep in its turn. One that waits already is not asked for twice: it has seen nothing yet. */
  run(sweep: Sweep): void {
    if (this.#closed || this.#waiting.includes(sweep)) return;
    this.#waiting.push(sweep);
    this.#next();
  }

  #next(): void {
    if (this.#closed || this.#moment !== undefined || this.#running.size >= MOST) return;
    const sweep = this.#waiting.shift();
    if (sweep === undefined) return;
    const moment = setTimeout(() => this.#pass(moment), MOMENT);
    this.#moment = moment;
    const done = this.#try(sweep).then(() => {
      this.#running.delete(done);
      this.#pass(moment);
    });
    this.#running.add(done);
  }

  /** The sweep of this moment holds nobody up any more. */
  #pass(moment: NodeJS.Timeout): void {
    clearTimeout(moment);
    if (this.#moment === moment) this.#moment = undefined;
    this.#next();
  }

  async #try(sweep: Sweep): Promise<void> {
    try {
      await sweep();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Begins nothing more; resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#moment);
    await Promise.all(this.#running);
  }
}
