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
    for (let failures = 0, said = report; ; failures++) {
      this.#halt.throwIfAborted();
      const answer = await this.#tell(said, failures);
      // A control plane that is older may not know all of it: a job's end is told, whatever else cannot be.
      if (answer === "strange" && report.state !== "exited") return "accepted";
      if (answer === "strange") said = plain(report);
      else if (answer !== undefined) return answer;
      await sleep(backoff(failures), this.#halt);
    }
  }

  /** Undefined when there was no answer. */
  async #tell(report: Report, failures: number): Promise<Answer | "strange" | undefined> {
    try {
      const { accepted } = await this.#control.report(report);
      return accepted ? "accepted" : "revoked";
    } catch (error) {
      const code = error instanceof Refusal ? error.code : undefined;
      if (code === "logs_incomplete") return "incomplete";
      const { jobId, fence, state } = report;
      this.#journal.warn("report not answered", { jobId, fence, state, error: messageOf(error), failures });
      return code === "invalid_request" ? "strange" : undefined;
    }
  }
}

/** What every control plane understands. */
function plain(report: Report): Report {
  if (report.state !== "exited") return report;
  const { jobId, fence, state, cause, exitCode, message, chunks, logsComplete } = report;
  return {
    ...{ jobId, fence, state, cause, chunks, logsComplete },
    ...(exitCode !== undefined && { exitCode }),
    ...(message !== undefined && { message }),
  };
}
