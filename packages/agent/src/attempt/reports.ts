/** What an attempt tells the control plane: in order, each until it is answered. */
import { type Control, Refusal } from "../control/call.ts";
import { messageOf } from "../disk.ts";
import type { Journal } from "../journal.ts";
import type { Report } from "../types.ts";
import { backoff, sleep } from "../wait.ts";

/** `incomplete`: the control plane misses chunks of the log. */
export type Answer = "accepted" | "revoked" | "incomplete";

export class Reports {
  readonly #control: Control;
  readonly #journal: Journal;
  readonly #halt: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(control: Control, journal: Journal, halt: AbortSignal) {
    this.#control = control;
    this.#journal = journal;
    this.#halt = halt;
  }

  /** Rejects only when the attempt is no longer this agent's. */
  say(report: Report): Promise<Answer> {
    const answer = this.#last.then(() => this.#insist(report));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #insist(report: Report): Promise<Answer> {
    for (let failures = 0; ; failures++) {
      this.#halt.throwIfAborted();
      try {
        const { accepted } = await this.#control.report(report);
        return accepted ? "accepted" : "revoked";
      } catch (error) {
        if (error instanceof Refusal && error.code === "logs_incomplete") return "incomplete";
        const { jobId, fence, state } = report;
        this.#journal.warn("report not answered", { jobId, fence, state, error: messageOf(error), failures });
      }
      await sleep(backoff(failures), this.#halt);
    }
  }
}
