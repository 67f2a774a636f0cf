/** Turns: of the things to be done under one name, one at a time, in the order they were asked for. */

export class Lanes {
  readonly #last = new Map<string, Promise<void>>();

  /** Whether something under this name is under way or waits. */
  isBusy(name: string): boolean {
    return this.#last.has(name);
  }

  /** Does the work when all that was asked for before has ended, well or not. */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(name) ?? Promise.resolve()).then(work);
    const end = done.then(ignore, ignore).then(() => {
      if (this.#last.get(name) === end) this.#last.delete(name);
    });
    this.#last.set(name, end);
    return done;
  }
}

/** How it went is for whoever asked for it. */
const ignore = (): void => undefined;
