/**
 * One attempt on this host, from its assignment to the accepted report of its end.
 *
 * Lifecycle: inputs → packages → setup → run → keeping → closing; see work.ts for all but the last two. Keeping brings
 * outputs and checkpoint home, closing the log; then its end is reported.
 * Every step reads from the record how far a former agent came, so that all of them may be begun again.
 * Gotchas: two signals, which are not the same. `stop`: the script must end, and its end is reported. `halt`: the attempt
 * is no longer this agent's; everything is dropped where it is, and nothing is reported.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../disk.ts";
import { type Mask, maskOf } from "../logs/mask.ts";
import { type Shipped, Shipper } from "../logs/shipper.ts";
import { end } from "../script/end.ts";
import { phasesOf, stagesOf } from "../script/texts.ts";
import { exitCode } from "../script/watch.ts";
import type { Assignment, AttemptRef, Endpoint, Held, HeldRef } from "../types.ts";
import { again, alarm, sleep } from "../wait.ts";
import type { Host } from "./host.ts";
import { Keeping } from "./keeping.ts";
import { lossesOf, masked, notesOf } from "./notes.ts";
import { peaksOf } from "./peaks.ts";
import { workdirOf } from "./places.ts";
import { halt, nameOf, type Outcome, type Record, stopOf } from "./record.ts";
import { release } from "./release.ts";
import { Reports } from "./reports.ts";
import { work } from "./work.ts";

/** How long the rest of a log is tried after the script's end, in ms. */
const LOG_DEADLINE = 600_000;
/** How often the control plane may miss chunks that it was sent, before the log counts as incomplete. */
const RESENDS = 5;
const RETRY = 5_000;
const LAST_WAIT = 1_000;

/** Seconds that an attempt has to end which is nobody's any more: nothing that it still does counts, and others wait for its host. */
const REVOKED_GRACE = 2;

export class Attempt {
  readonly record: Record;
  readonly #host: Host;
  readonly #stop = new AbortController();
  readonly #halt = new AbortController();
  readonly #reports: Reports;
  readonly #mask: Mask;
  readonly #shipper: Shipper;
  readonly #keeping: Keeping;
  #driven: Promise<void> = Promise.resolve();
  #shipped: Promise<Shipped> | undefined;
  #cancelAlarm: () => void = () => undefined;

  constructor(record: Record, host: Host) {
    this.record = record;
    this.#host = host;
    this.#reports = new Reports(host.control, host.journal, this.#halt.signal);
    this.#mask = maskOf(record.assignment);
    this.#shipper = new Shipper({
      folder: record.folder,
      stages: stagesOf(record.assignment),
      policy: record.policy,
      clock: host.clock,
      journal: host.journal,
      quota: record.assignment.logQuota,
      mask: this.#mask,
      refresh: () => host.pollSoon(),
      halt: this.#halt.signal,
    });
    this.#keeping = new Keeping(record, host, this.#halt.signal);
    if (record.state.stop !== undefined) this.#stop.abort(record.state.stop);
  }

  get ref(): AttemptRef {
    const { jobId, fence } = this.record.assignment;
    return { jobId, fence };
  }

  /** What the next poll says of it. */
  get heldRef(): HeldRef {
    return { ...this.ref, ...this.#keeping.asks };
  }

  /** The poll was answered. */
  told(ref: HeldRef): void {
    this.#keeping.told(ref);
  }

  /** The machine may go soon: what outlives the attempt goes home. */
  urge(): void {
    this.#keeping.urge();
  }

  /** The machine is to go, or somebody waits. */
  hurry(): void {
    this.#keeping.hurry();
  }

  get assignment(): Assignment {
    return this.record.assignment;
  }

  /** Begins, or goes on, as soon as `first` has settled. */
  start(first: Promise<unknown> = Promise.resolve()): void {
    const { timeout } = this.assignment;
    if (timeout !== undefined) {
      const late: Outcome = { cause: "timed_out", message: `It ran longer than its timeout of ${timeout} s.` };
      this.#cancelAlarm = alarm(this.record.state.beganAt + timeout * 1000, () => this.stop(late));
    }
    this.#driven = first.then(() => this.#drive());
  }

  apply(held: Held): void {
    const { cancel, followUntil, logs } = held;
    if (cancel !== undefined) this.stop(stopOf(cancel));
    if (cancel === "cancelled") this.#keeping.hurry();
    this.#write(() => this.#keeping.renew(held));
    if (followUntil !== undefined) this.#shipper.follow(followUntil);
    if (logs === undefined) return;
    this.#shipper.renew(logs);
    this.#write(() => this.record.renew(logs));
  }

  /** How busy the host's GPUs are just now, 0 to 1. Only while its script runs do they say anything of the job. */
  sample(all: readonly number[]): void {
    const { gpus } = this.assignment;
    const { step, gpuPeaks: before } = this.record.state;
    if (step !== "run" || !this.record.has("run.pid")) return;
    const now = gpus === undefined ? all : gpus.map(gpu => all[gpu] ?? 0);
    if (now.length === 0) return;
    const { gpuPeaks, rose } = peaksOf(now, before);
    if (rose) this.#write(() => this.record.update({ gpuPeaks }));
    else this.record.remember({ gpuPeaks });
  }

  /** Ends the script and reports this outcome, unless it is over already. */
  stop(why: Outcome): void {
    if (this.#stop.signal.aborted || this.#halt.signal.aborted || this.#isOver()) return;
    this.#write(() => this.record.update({ stop: why }));
    this.#stop.abort(why);
  }

  /** What only the next agent needs: a full disk must not keep this one from doing its work. */
  #write(note: () => void): void {
    try {
      note();
    } catch (error) {
      this.#warn("not written", error);
    }
  }

  #warn(what: string, error: unknown): void {
    this.#host.journal.warn(what, { ...this.ref, error: messageOf(error) });
  }

  /** Its script may have ended while there was no agent to see it. */
  #isOver(): boolean {
    return this.#hasEnded() || (this.record.state.step === "run" && exitCode(this.record.folder, "run") !== undefined);
  }

  /** Ends all processes, reports nothing, and forgets the attempt. */
  async drop(): Promise<void> {
    await this.#letGo(Math.min(REVOKED_GRACE, this.assignment.grace));
    await release(this.record, this.#host);
    this.record.remove();
  }

  /** The machine goes down: ends all processes within `grace` seconds, and leaves the rest to the next agent. */
  async shutDown(grace: number): Promise<void> {
    if (this.record.state.step !== "closing") this.#write(() => halt(this.record.folder));
    await this.#letGo(Math.min(grace, this.assignment.grace));
  }

  async #letGo(grace: number): Promise<void> {
    this.#halt.abort();
    this.#cancelAlarm();
    await this.#host.containers.end(nameOf(this.ref), grace);
    await end(this.record.folder, grace);
    // What is left to wait for is at most an answer that nobody needs any more.
    await Promise.race([this.#driven, sleep(LAST_WAIT)]);
  }

  /** A full disk, or whatever else is wrong with the machine, ends no attempt: it is tried again from its record. */
  async #drive(): Promise<void> {
    const told = (error: unknown): void => {
      this.#warn("attempt goes on after", error);
      this.#host.ballast.dropFor(error);
    };
    await again(() => this.#live(), told, this.#halt.signal).catch(() => undefined);
  }

  async #live(): Promise<void> {
    const shipped = this.#ship();
    if (!this.#hasEnded()) await this.#work();
    this.#cancelAlarm();
    // Also when a former agent had come to closing: it may have died before this.
    await release(this.record, this.#host);
    for (const phase of phasesOf(this.assignment)) if (phase !== "muster") this.#shipper.close(phase);
    if (this.record.state.step !== "closing") await this.#keep();
    this.#shipper.close("muster");
    this.#shipper.expire((this.record.state.endedAt ?? 0) + LOG_DEADLINE);
    await this.#close(await shipped);
  }

  #hasEnded(): boolean {
    return ["keeping", "closing"].includes(this.record.state.step);
  }

  /** Sends home what outlives it; the log's last part is open for what is to be said of that. */
  async #keep(): Promise<void> {
    const outcome = this.record.state.outcome ?? { cause: "start_failed" };
    const kept = await this.#keeping.finish(outcome, workdirOf(this.#host, this.assignment));
    this.record.update({ step: "closing", endedAt: Date.now(), ...(kept && { kept }) });
  }

  /** One shipper at a time, also when the rest is tried again. */
  #ship(): Promise<Shipped> {
    const told = (error: unknown): void => this.#warn("log goes on after", error);
    this.#shipped ??= again(() => this.#shipper.run(), told, this.#halt.signal);
    // It only ends so when the attempt is halted.
    this.#shipped.catch(() => undefined);
    return this.#shipped;
  }

  async #work(): Promise<void> {
    const outcome = await work({
      record: this.record,
      host: this.#host,
      keeping: this.#keeping,
      stop: this.#stop.signal,
      halt: this.#halt.signal,
      tell: (state, endpoints) => this.#tell(state, endpoints),
      isOver: phase => this.#shipper.close(phase),
    });
    this.#halt.signal.throwIfAborted();
    const told = masked(this.#mask, outcome);
    // Before the step, so that notes are there when somebody finds it closing.
    const notes = notesOf(this.record, told, this.#keeping.said);
    writeFileSync(join(this.record.folder, "out", "muster.log"), notes, { mode: 0o600 });
    const hadInputs = this.record.state.step !== "inputs";
    this.record.update({ step: "keeping", outcome: told, hadInputs, endedAt: Date.now() });
    this.#host.journal.note("attempt ended", { ...this.ref, cause: told.cause, exitCode: told.exitCode });
  }

  async #close(shipped: Shipped): Promise<void> {
    const answer = await this.#reportEnd(shipped, 0);
    this.#host.journal.note("attempt closed", { ...this.ref, answer, ...shipped });
    this.record.remove();
    this.#host.forget(this);
  }

  async #reportEnd(shipped: Shipped, resent: number): Promise<string> {
    const { gpuPeaks, kept } = this.record.state;
    const answer = await this.#reports.say({
      ...this.ref,
      state: "exited",
      ...(this.record.state.outcome ?? { cause: "start_failed" }),
      ...(gpuPeaks && { gpuPeaks: gpuPeaks.slice(0, 64) }),
      ...(kept && { outputs: kept }),
      chunks: shipped.chunks,
      logsComplete: shipped.complete && lossesOf(this.record).length === 0,
    });
    if (answer !== "incomplete") return answer;
    this.#shipper.expire(Date.now() + LOG_DEADLINE);
    const complete = resent < RESENDS && (await this.#shipper.resend());
    if (resent > 0) await sleep(RETRY, this.#halt.signal);
    return this.#reportEnd({ chunks: shipped.chunks, complete }, resent + 1);
  }

  #tell(state: "preparing" | "running", endpoints: readonly Endpoint[] = []): void {
    if (this.record.state.told === state || this.record.state.told === "running") return;
    const more = state === "running" && endpoints.length > 0 ? { endpoints: [...endpoints] } : {};
    this.#reports.say({ ...this.ref, state, ...more }).then(
      answer => this.#told(state, answer === "accepted"),
      () => undefined,
    );
  }

  #told(state: "preparing" | "running", accepted: boolean): void {
    if (this.#halt.signal.aborted) return;
    if (!accepted) {
      this.#host.journal.note("attempt revoked", { name: nameOf(this.ref) });
      this.#host.revoke(this);
      return;
    }
    this.record.remember({ told: state });
  }
}
