/** The control plane's clock, as far as its answers tell. */
export class Clock {
  #offset = 0;

  /** `now` came in an answer to a call that was made at `sentAt`. */
  learn(now: number, sentAt: number): void {
    this.#offset = now - (sentAt + Date.now()) / 2;
  }

  now(): number {
    return Date.now() + this.#offset;
  }
}
