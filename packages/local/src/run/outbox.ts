/**
 * The outbox of one process. Events are told from the table's journal, so that none is lost when the process is killed right
 * after a commit; what is due is done when its time comes, and found by a slow beat if that was missed.
 */
import { setTimeout as pause } from "node:timers/promises";
import { bury } from "@muster/core/outbox/bury.ts";
import { perform } from "@muster/core/outbox/deliver.ts";
import { type Entry, entryFor, subjectOf } from "@muster/core/outbox/outbox.ts";
import { dueEntries } from "@muster/core/outbox/sweep.ts";
import type { Change, Key } from "@muster/core/ports/table.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import type { LocalTable } from "../table/table.ts";
import { Line } from "./line.ts";
import { Sweeps } from "./sweeps.ts";

/** How many things are done at a time: each may wait for somebody else's server. */
const AT_ONCE = 32;
/** The slow beat, in ms. */
const BEAT = 15_000;
/** How long the end waits for what is under way, in ms. */
const MOMENT = 1_000;
/** Later times are left to the beat. */
const SOON = 60_000;

/** What to do, and which note of the journal it goes back to. */
interface Asked {
  readonly entry: Entry;
  readonly note?: Key;
}

type Journal = Pick<LocalTable, "untold" | "told">;

/** Of what the table's journal keeps a note: whoever is told of it later reads the item itself. */
export const isNews = (change: Change): boolean => entryFor(change)?.do === "relay";

export class Outbox {
  readonly #world: () => Outside;
  readonly #journal: () => Journal;
  readonly #line: Line<Asked>;
  readonly #sweeps: Sweeps;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sweep = () => this.#addDue();
  #beat: NodeJS.Timeout | undefined;
  #closed = false;

  /** Both are asked for late: the table that tells is part of the world. */
  constructor(world: () => Outside, journal: () => Journal) {
    this.#world = world;
    this.#journal = journal;
    this.#sweeps = new Sweeps(error => world().log.error("the outbox could not be read", { reason: String(error) }));
    this.#line = new Line<Asked>({
      subjectOf: ({ entry }) => subjectOf(entry),
      ownerOf: ({ entry }) => entry.workspace,
      act: ({ entry }) => perform(world(), entry),
      onFailure: (...failure) => this.#failed(...failure),
      onOver: ({ note }) => note && this.#journal().told(note),
      atOnce: AT_ONCE,
    });
  }

  /** Looks at what was left undone, too. */
  start(): void {
    for (const item of this.#journal().untold()) this.#take({ item });
    this.#sweeps.run(this.#sweep);
    this.#beat = setInterval(() => this.#sweeps.run(this.#sweep), BEAT).unref();
  }

  note(changes: readonly Change[]): void {
    // What was under way at the end may still write.
    if (!this.#closed) for (const change of changes) this.#take(change);
  }

  #take(change: Change): void {
    const entry = entryFor(change);
    if (entry === undefined) return;
    const note = "item" in change && entry.do === "relay" ? { pk: change.item.pk, sk: change.item.sk } : undefined;
    const wait = entry.do === "deliver" ? entry.dueAt - this.#world().clock.now() : 0;
    if (wait <= 0) this.#line.add({ entry, ...(note && { note }) });
    else if (wait < SOON) this.#remind(entry, wait);
  }

  #remind(entry: Entry, wait: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#line.add({ entry });
    }, wait + 1);
    this.#timers.add(timer);
  }

  async #addDue(): Promise<void> {
    for (const entry of await dueEntries(this.#world())) this.#line.add({ entry });
  }

  async #failed({ entry }: Asked, times: number, isLast: boolean, error: unknown): Promise<void> {
    const world = this.#world();
    const about = { entry: subjectOf(entry), reason: String(error) };
    world.log.error(isLast ? "something to be done outside is put aside" : "something outside failed", about);
    if (!isLast) return;
    try {
      await bury(world, entry, times, error);
    } catch (failure) {
      world.log.error("a dead letter could not be recorded", { ...about, reason: String(failure) });
    }
  }

  /**
   * Begins nothing more; resolves when what was under way has ended, or has had its moment: a server that does not answer
   * holds up no end. What it was to be sent is sent again when the next process begins.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beat);
    for (const timer of this.#timers) clearTimeout(timer);
    const ended = Promise.all([this.#sweeps.close(), this.#line.close()]);
    await Promise.race([ended, pause(MOMENT, undefined, { ref: false })]);
  }
}
