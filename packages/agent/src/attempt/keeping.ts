/** What outlives an attempt: its checkpoint while it runs, and its outputs when it has ended. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../checkpoint/checkpoint.ts";
import { messageOf, readJson, writeWhole } from "../disk.ts";
import { InputError } from "../inputs/place.ts";
import { Store } from "../keep/store.ts";
import { type Kept, keep } from "../outputs/outputs.ts";
import type { Held, HeldRef, LogPolicy } from "../types.ts";
import type { Host } from "./host.ts";
import type { Outcome, Record } from "./record.ts";

type Kind = "outputs" | "checkpoint";

/** What a cancelled job still has for it, in ms: somebody waits. */
const HURRIED = 5 * 60_000;

/** In the attempt's folder: the checkpoint's folder is as it should be. */
const READY = "checkpoint.ready";
/** Lines for the log, before its last part has begun. */
const SAID = "said";

export class Keeping {
  readonly #record: Record;
  readonly #host: Host;
  readonly #halt: AbortSignal;
  readonly #stores = new Map<Kind, Store>();
  #checkpoint: Checkpoint | undefined;

  constructor(record: Record, host: Host, halt: AbortSignal) {
    this.#record = record;
    this.#host = host;
    this.#halt = halt;
    const { outputs, checkpoint } = record.assignment;
    if (outputs) this.#stores.set("outputs", this.#storeOf("outputs", outputs.policy));
    if (checkpoint) this.#stores.set("checkpoint", this.#storeOf("checkpoint", checkpoint.policy));
  }

  #storeOf(kind: Kind, policy: LogPolicy): Store {
    const { clock, journal } = this.#host;
    const latest = readJson<LogPolicy>(join(this.#record.folder, `${kind}.policy.json`)) ?? policy;
    return new Store({ policy: latest, clock, journal, refresh: () => this.#host.pollSoon(), halt: this.#halt });
  }

  /** What the next poll is to ask and to tell. */
  get asks(): Pick<HeldRef, "wants" | "sent"> {
    const wants = [...this.#stores].flatMap(([kind, store]) => (store.isStale ? kind : []));
    const sent = this.#checkpoint?.news;
    return { ...(wants.length > 0 && { wants }), ...(sent !== undefined && { sent }) };
  }

  told({ sent }: Pick<HeldRef, "sent">): void {
    this.#checkpoint?.told(sent);
  }

  renew(held: Pick<Held, Kind>): void {
    for (const kind of ["outputs", "checkpoint"] as const) {
      const policy = held[kind];
      if (policy === undefined) continue;
      this.#stores.get(kind)?.renew(policy);
      writeWhole(join(this.#record.folder, `${kind}.policy.json`), JSON.stringify(policy));
    }
  }

  /** Somebody waits for the end. */
  hurry(): void {
    for (const store of this.#stores.values()) store.hurry(HURRIED);
  }

  /** The machine may go soon. */
  urge(): void {
    this.#checkpoint?.urge();
  }

  /** Where the scripts find the checkpoint. */
  get environment(): Readonly<{ [name: string]: string }> {
    return this.#checkpoint === undefined ? {} : { MUSTER_CHECKPOINT_DIR: this.#checkpoint.folder };
  }

  /** Brings the checkpoint back, unless it was before; then watches it. @throws InputError */
  async bring(workdir: string, signal: AbortSignal): Promise<void> {
    const { checkpoint } = this.#record.assignment;
    if (checkpoint === undefined || this.#checkpoint !== undefined) return;
    const mine = this.#open(checkpoint, workdir);
    if (mine === undefined) return;
    if (!this.#record.has(READY)) {
      await told(checkpoint.path, () => mine.bring(signal));
      writeFileSync(join(this.#record.folder, READY), "");
    }
    this.#checkpoint = mine;
    mine.watch();
  }

  #open(
    { path, last }: { readonly path: string; readonly last?: { fence: number; number: number } | undefined },
    workdir: string,
  ): Checkpoint | undefined {
    const { assignment } = this.#record;
    const { home, machine, control, journal } = this.#host;
    const store = this.#stores.get("checkpoint");
    return (
      store &&
      new Checkpoint({
        said: path,
        whose: { jobId: assignment.jobId, rank: assignment.rank },
        fence: assignment.fence,
        last,
        places: { home: home.jobs, workdir },
        records: home.checkpoints,
        owner: machine.account,
        control,
        store,
        journal,
        halt: this.#halt,
        say: line => this.say(line),
        onSent: () => this.#host.pollSoon(),
      })
    );
  }

  /** Sends the last of the checkpoint, then the outputs: processes have ended. Rejects when halted */
  async finish(outcome: Outcome, workdir: string): Promise<Kept | undefined> {
    await this.#lastOfCheckpoint(outcome, workdir);
    const { outputs } = this.#record.assignment;
    const store = this.#stores.get("outputs");
    // Without inputs there was nothing of this try yet: what is there may be another's.
    if (outputs === undefined || store === undefined || this.#record.state.hadInputs !== true) return undefined;
    store.begin();
    return keep({
      folder: this.#record.folder,
      places: outputs.places,
      home: this.#host.home.jobs,
      workdir,
      owner: this.#host.machine.account,
      store,
      halt: this.#halt,
      say: line => this.say(line),
    });
  }

  async #lastOfCheckpoint(outcome: Outcome, workdir: string): Promise<void> {
    if (!this.#record.has(READY)) return;
    // Of a former agent's attempt.
    await this.bring(workdir, this.#halt);
    const isHome = await this.#checkpoint?.finish();
    if (isHome && outcome.cause === "exited" && outcome.exitCode === 0) await this.#checkpoint?.leave();
  }

  /** A line for the job's log, under what the agent itself has to say. */
  say(line: string): void {
    const isLast = this.#record.state.step === "keeping";
    const file = isLast ? join(this.#record.folder, "out", "muster.log") : join(this.#record.folder, SAID);
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  }

  /** What was said before the log's last part began. */
  get said(): string {
    return this.#record.read(SAID);
  }
}

/** Whatever the file system says, it says of the checkpoint. */
async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`checkpoint ${path}: ${messageOf(error)}`);
  }
}
