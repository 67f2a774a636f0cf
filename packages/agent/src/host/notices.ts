/**
 * What EC2 announces to a machine on the spot market: that it is taken away within two minutes, or that it may be soon.
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html, rebalance-recommendations.html)
 */
import { messageOf } from "../disk.ts";
import type { Journal } from "../journal.ts";
import type { Notice } from "../types.ts";
import { sleep } from "../wait.ts";
import type { Metadata } from "./metadata.ts";

/** As often as AWS advises, in ms. */
const INTERVAL = 5_000;

export class Notices {
  readonly #metadata: Metadata;
  readonly #journal: Journal;
  readonly #ring: () => void;
  #last: Notice | undefined;
  #isTold = true;

  /** `ring` is called when there is something to tell. */
  constructor(metadata: Metadata, journal: Journal, ring: () => void) {
    this.#metadata = metadata;
    this.#journal = journal;
    this.#ring = ring;
  }

  /** What the control plane has not heard yet. */
  get pending(): Notice | undefined {
    return this.#isTold ? undefined : this.#last;
  }

  told(notice: Notice | undefined): void {
    if (notice === this.#last) this.#isTold = true;
  }

  /** Goes on until it is told to stop, unless this machine is one that is never taken away. */
  async watch(quit: AbortSignal): Promise<void> {
    for (let market: string | undefined; market !== "on-demand"; await sleep(INTERVAL, quit)) {
      try {
        market ??= await this.#metadata.find("instance-life-cycle");
        if (market !== "on-demand") this.#take(await this.#look());
      } catch (error) {
        this.#journal.warn("notices not read", { error: messageOf(error) });
      }
    }
  }

  async #look(): Promise<Notice | undefined> {
    const action = await this.#metadata.find("spot/instance-action");
    if (action !== undefined) return noticeOf("interruption", action, "time");
    const advice = await this.#metadata.find("events/recommendations/rebalance");
    return advice === undefined ? undefined : noticeOf("rebalance", advice, "noticeTime");
  }

  #take(notice: Notice | undefined): void {
    if (notice === undefined || (notice.kind === this.#last?.kind && notice.at === this.#last.at)) return;
    this.#journal.note("notice of EC2", { kind: notice.kind, at: notice.at });
    this.#last = notice;
    this.#isTold = false;
    this.#ring();
  }
}

function noticeOf(kind: Notice["kind"], said: string, field: string): Notice {
  const at = Date.parse(String((JSON.parse(said) as Record<string, unknown>)[field]));
  return Number.isNaN(at) ? { kind } : { kind, at };
}
