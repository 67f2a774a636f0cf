/**
 * The checkpoint of one attempt.
 *
 * Lifecycle: `bring` makes the folder as the try before has left it; `watch` sends it home whenever it has changed, and at
 * once when the machine is to go; `finish` sends what is there when the attempt's processes have ended.
 * Gotcha: a folder that is being written to is not sent, unless that never stops: the state between two writes is no state
 * to go on from. Files that are written beside and renamed are always whole.
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Control } from "../control/call.ts";
import { messageOf, readText, writeWhole } from "../disk.ts";
import type { Account } from "../host/account.ts";
import { makeFolder } from "../inputs/folder.ts";
import type { Journal } from "../journal.ts";
import { type Raw, rawOf, unspelled } from "../keep/names.ts";
import { sizeText } from "../keep/size.ts";
import { Changed, type Store } from "../keep/store.ts";
import type { Generation } from "../types.ts";
import { sleep, Wake } from "../wait.ts";
import { type Home, isAged, look, type State, sendState, stateOf } from "./generation.ts";
import { type Restored, restore } from "./restore.ts";
import * as Spots from "./spot.ts";

/** How often the folder is looked at, in ms. */
const EVERY = 60_000;
/** How long nothing must change before it is sent, and how long that is waited for. */
const QUIET = 2_000;
const RESTLESS = 5 * 60_000;
/** Tries of the last state, which nobody writes to any more. */
const TRIES = 3;

export interface CheckpointOptions {
  readonly said: string;
  readonly whose: Spots.Whose;
  readonly fence: number;
  /** What a try before has sent last. */
  readonly last: Generation | undefined;
  readonly places: { readonly home: string; readonly workdir: string };
  /** Of the agent, for what it knows of folders. */
  readonly records: string;
  readonly owner: Account | undefined;
  readonly control: Pick<Control, "checkpoint">;
  readonly store: Store;
  readonly journal: Journal;
  readonly halt: AbortSignal;
  /** A line for the job's log. */
  say(line: string): void;
  /** A generation is home: the control plane will want to know. */
  onSent(): void;
  readonly every?: number;
  readonly quiet?: number;
}

export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #spot: Spots.Spot;
  readonly #wake = new Wake();
  #watched: Promise<void> | undefined;
  #isUrgent = false;
  #isEnding = false;
  /** What is home, by path; and the state that all of it is. */
  #home = new Map<Raw, Home>();
  #signature: string | undefined;
  #number = 0;
  /** Of the last generation that is home, until it was told. */
  #news: number | undefined;

  /** @throws InputError for a place that no host has */
  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#spot = Spots.spotOf(options.said, options.whose, options.places);
    options.halt.addEventListener("abort", () => this.#wake.ring());
  }

  get folder(): string {
    return this.#spot.folder;
  }

  /** The number of a generation that the control plane has not heard of. */
  get news(): number | undefined {
    return this.#news;
  }

  told(number: number | undefined): void {
    if (number === this.#news) this.#news = undefined;
  }

  /** Makes the folder as it was left, wherever that was. @throws InputError when that cannot be had */
  async bring(signal: AbortSignal): Promise<void> {
    const { records, whose, last, owner } = this.#options;
    mkdirSync(records, { recursive: true, mode: 0o700 });
    await Spots.sweep(records, whose);
    const known = Spots.recall(records, whose);
    const isHere = known !== undefined && known.folder === this.folder && existsSync(this.folder);
    // A try that ran elsewhere since has come further.
    if (last !== undefined && !(isHere && known.fence >= last.fence)) await this.#restore(last, signal);
    else if (!isHere) await rm(this.folder, { recursive: true, force: true });
    await Spots.link(this.#spot, owner, last === undefined && !isHere);
    this.#remember(false);
  }

  async #restore(last: Generation, signal: AbortSignal): Promise<void> {
    const { control, whose, fence, owner, say } = this.#options;
    const beside = Spots.besideOf(this.folder, last);
    await Spots.clearBeside(this.folder, beside);
    await makeFolder(beside, owner);
    const ask = { jobId: whose.jobId, fence, from: last };
    const restored = await restore({ control, ask, folder: beside, owner, signal });
    await rm(this.folder, { recursive: true, force: true });
    renameSync(beside, this.folder);
    await this.#learn(restored);
    say(`checkpoint: ${restored.files.size} files are back, ${sizeText(restored.bytes)}`);
  }

  /** What was brought back need not be sent again. */
  async #learn({ files }: Restored): Promise<void> {
    const state = await this.#look();
    for (const found of state.files) {
      const file = files.get(found.path);
      if (file === undefined) continue;
      const pieces = file.pieces.map(({ key, size }) => ({ key, size }));
      this.#home.set(found.path, { mark: stateOf(found), entry: { ...file, pieces } });
    }
    this.#signature = state.signature;
    this.#keepHome();
  }

  /** Sends what changes from now on, until `finish`. Also of a try whose script runs already. */
  watch(): void {
    this.#recall();
    this.#watched ??= this.#loop().catch((error: unknown) => {
      if (!this.#options.halt.aborted) this.#warn("checkpoint is not watched", error);
    });
  }

  /** The machine may go soon. */
  urge(): void {
    this.#isUrgent = true;
    this.#wake.ring();
  }

  /** Sends the last state. @returns whether all of it is home. Rejects when halted */
  async finish(): Promise<boolean> {
    this.#isEnding = true;
    this.#wake.ring();
    await this.#watched;
    for (let tries = 1; ; tries++) {
      this.#options.halt.throwIfAborted();
      try {
        await this.#send(await this.#look());
        this.#remember(true);
        if (this.#home.size > 0) this.#options.say(`checkpoint: ${this.#size()}`);
        return true;
      } catch (error) {
        this.#options.halt.throwIfAborted();
        if (error instanceof Changed && tries < TRIES) continue;
        this.#warn("checkpoint not sent", error);
        this.#options.say(`checkpoint: its last state could not be sent: ${messageOf(error)}`);
        return false;
      }
    }
  }

  /** The job has come to a good end: nobody will go on from it here. */
  async leave(): Promise<void> {
    await Spots.forget(this.#options.records, this.#options.whose);
  }

  async #loop(): Promise<void> {
    const { every = EVERY, halt } = this.#options;
    while (!this.#isEnding && !halt.aborted) {
      if (!this.#isUrgent) await this.#wake.wait(every);
      if (this.#isEnding || halt.aborted) return;
      const urgent = this.#isUrgent;
      this.#isUrgent = false;
      await this.#sendIfChanged(urgent).catch((error: unknown) => {
        if (!halt.aborted) this.#warn("checkpoint not sent yet", error);
      });
    }
  }

  async #sendIfChanged(urgent: boolean): Promise<void> {
    const state = await this.#look();
    if (state.signature === this.#signature && !isAged(this.#home)) return;
    const settled = urgent ? state : await this.#settled(state);
    if (settled !== undefined) await this.#send(settled);
  }

  /** The folder when nobody has written to it for a moment; undefined when the attempt ends meanwhile. */
  async #settled(first: State): Promise<State | undefined> {
    const { quiet = QUIET, halt } = this.#options;
    let before = first;
    for (const until = Date.now() + RESTLESS; ; ) {
      await sleep(quiet, halt);
      if (this.#isEnding) return undefined;
      const now = await this.#look();
      if (now.signature === before.signature || this.#isUrgent || Date.now() > until) return now;
      before = now;
    }
  }

  #look(): Promise<State> {
    const { folder, place } = this.#spot;
    return look(rawOf(folder), [rawOf(place)]);
  }

  async #send(state: State): Promise<void> {
    if (state.signature === this.#signature && !isAged(this.#home)) return;
    // Nothing was ever there, and nothing is to be brought back.
    if (state.files.length === 0 && this.#home.size === 0) return;
    const { store, owner, journal, onSent } = this.#options;
    store.begin();
    this.#number++;
    this.#remember(false);
    const made = await sendState(state, { store, owner, number: this.#number, home: this.#home });
    this.#home = made;
    this.#signature = state.signature;
    this.#news = this.#number;
    this.#keepHome();
    journal.note("checkpoint is home", { number: this.#number, holds: this.#size() });
    onSent();
  }

  #size(): string {
    const bytes = [...this.#home.values()].reduce((sum, { entry }) => sum + entry.size, 0);
    return `${this.#home.size} ${this.#home.size === 1 ? "file" : "files"} kept, ${sizeText(bytes)}`;
  }

  #remember(isDone: boolean): void {
    const { records, whose, fence } = this.#options;
    const { folder, place } = this.#spot;
    Spots.remember(records, whose, { folder, place, fence, number: this.#number, isDone });
  }

  /** What a former agent knew, of this try or of the one whose state the folder is in. */
  #recall(): void {
    const { records, whose, fence, last } = this.#options;
    const known = Spots.recall(records, whose);
    if (known?.fence === fence) this.#number = Math.max(this.#number, known.number);
    if (this.#home.size > 0) return;
    const lines = (readText(Spots.sentFile(records, whose)) ?? "").split("\n").slice(0, -1);
    const [head, ...rest] = lines.map(line => JSON.parse(line) as Generation & Home);
    const isOwn = head?.fence === fence;
    const isLast = last !== undefined && head?.fence === last.fence && head.number === last.number;
    if (isOwn || isLast) this.#home = new Map(rest.map(({ mark, entry }) => [unspelled(entry), { mark, entry }]));
  }

  #keepHome(): void {
    const { records, whose, fence } = this.#options;
    const lines: object[] = [
      { fence, number: this.#number },
      ...[...this.#home.values()].map(({ mark, entry }) => ({ mark, entry })),
    ];
    writeWhole(Spots.sentFile(records, whose), lines.map(line => `${JSON.stringify(line)}\n`).join(""));
  }

  #warn(what: string, error: unknown): void {
    const { journal, whose } = this.#options;
    journal.warn(what, { ...whose, error: messageOf(error) });
  }
}
