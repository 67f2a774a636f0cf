/** The attempts that this host holds. */
import { Attempt } from "./attempt/attempt.ts";
import { Fences } from "./attempt/fences.ts";
import type { Host } from "./attempt/host.ts";
import { discard, folders, nameOf, type Outcome, Record, sweep } from "./attempt/record.ts";
import { messageOf } from "./disk.ts";
import { sweepWorkdirs } from "./inputs/fresh.ts";
import { end } from "./script/end.ts";
import { INSTALLING, keyOf } from "./setups.ts";
import type { Assignment, AttemptRef, HeldRef, Orders } from "./types.ts";
import { sleep } from "./wait.ts";

/** Names go into paths. A run of an array has its index after a dot. */
const JOB_ID = /^[A-Za-z0-9_-]{1,56}(\.\d{1,7})?$/;

/** How long the ends of attempts are tried to be told before the machine goes down, in ms. */
const LAST_WORDS = 20_000;
const LOOK = 50;
/** Seconds that scripts have of which nobody knows any more what they are. */
const LOST_GRACE = 5;

export class Holdings {
  readonly #host: Host;
  readonly #fences: Fences;
  readonly #held = new Map<string, Attempt>();
  readonly #leaving = new Map<string, Promise<void>>();
  #isEnding = false;

  constructor(host: Omit<Host, "forget" | "revoke">) {
    this.#fences = new Fences(host.home.fences);
    this.#host = {
      ...host,
      forget: attempt => {
        this.#held.delete(nameOf(attempt.ref));
        host.ballast.fill();
        host.pollSoon();
      },
      revoke: attempt => void this.#drop(attempt),
    };
  }

  /** Takes over what a former agent left. */
  adopt(): void {
    sweep(this.#host.home.attempts);
    this.#host.ballast.fill();
    sweepWorkdirs(this.#host.home.jobs, this.#host.mounts).catch((error: unknown) => {
      this.#host.journal.warn("old workdirs are left", { error: messageOf(error) });
    });
    const records = folders(this.#host.home.attempts).flatMap(folder => this.#load(folder) ?? []);
    // Before any of them moves: setups that run already own their text.
    for (const record of records) this.#reserve(record);
    for (const record of records.sort((one, other) => one.assignment.fence - other.assignment.fence))
      this.#take(record);
    const running = records.filter(({ state }) => state.step !== "keeping" && state.step !== "closing");
    const open = running.map(({ assignment }) => ({ ...assignment, name: nameOf(assignment) }));
    void this.#host.peers.retain(open);
    const names = new Set(records.map(record => nameOf(record.assignment)));
    const left = this.#host.containers.retain(names).then(() => this.#host.mounts.retain(names));
    left.catch((error: unknown) => {
      this.#host.journal.warn("mounts or containers are left", { error: messageOf(error) });
    });
  }

  apply(orders: Orders): void {
    for (const ref of orders.revoked) this.#dropHeld(ref);
    for (const assignment of orders.assignments) this.#accept(assignment);
    // After them: one that is new may be cancelled already.
    for (const held of orders.held) this.#held.get(nameOf(held))?.apply(held);
  }

  /** How busy each GPU of the host is, 0 to 1. */
  sample(gpus: readonly number[]): void {
    for (const attempt of this.#held.values()) attempt.sample(gpus);
  }

  refs(): HeldRef[] {
    return [...this.#held.values()].map(attempt => attempt.heldRef);
  }

  /** The poll that said this was answered. */
  told(refs: readonly HeldRef[]): void {
    for (const ref of refs) this.#held.get(nameOf(ref))?.told(ref);
  }

  /** The machine may go soon. */
  urge(): void {
    for (const attempt of this.#held.values()) attempt.urge();
  }

  /** Whether anything of an attempt may run; what only has to be told does not count. */
  isBusy(): boolean {
    return this.#leaving.size > 0 || [...this.#held.values()].some(attempt => attempt.record.state.step !== "closing");
  }

  /** Takes no more attempts, ends those that run, and gives their logs and ends some time to get home. */
  async endAll(why: Outcome): Promise<void> {
    this.#isEnding = true;
    for (const attempt of this.#held.values()) {
      attempt.stop(why);
      attempt.hurry();
    }
    while (this.isBusy()) await sleep(LOOK);
    for (const until = Date.now() + LAST_WORDS; this.#held.size > 0 && Date.now() < until; ) await sleep(LOOK);
  }

  status(): object[] {
    return [...this.#held.values()].map(attempt => ({ ...attempt.ref, step: attempt.record.state.step }));
  }

  async shutDown(grace: number): Promise<void> {
    await Promise.all([...this.#held.values()].map(attempt => attempt.shutDown(grace)));
  }

  /** This host is no longer the control plane's. */
  async dropAll(): Promise<void> {
    for (const attempt of this.#held.values()) void this.#drop(attempt);
    await Promise.all(this.#leaving.values());
  }

  #accept(assignment: Assignment): void {
    const { jobId, fence } = assignment;
    if (!JOB_ID.test(jobId) || this.#isEnding) return;
    if (!this.#fences.isNew(assignment)) {
      this.#disclaim(assignment);
      return;
    }
    try {
      this.#host.journal.note("attempt accepted", { jobId, fence });
      this.#take(Record.create(this.#host.home.attempts, assignment, Date.now()));
    } catch (error) {
      // Not held and not seen: the control plane will say it again.
      this.#host.journal.warn("attempt not accepted", { jobId, fence, error: messageOf(error) });
      this.#host.ballast.dropFor(error);
    }
  }

  /** Told to do what it has seen and does not hold: its folder is lost, and nobody else can tell. What is over stays over. */
  #disclaim({ jobId, fence }: Assignment): void {
    const name = nameOf({ jobId, fence });
    if (this.#held.has(name) || this.#leaving.has(name) || !this.#fences.isLatest({ jobId, fence })) return;
    this.#host.journal.warn("attempt is lost", { jobId, fence });
    const message = "its folder on the host is gone";
    this.#host.control
      .report({ jobId, fence, state: "exited", cause: "host_lost", message, chunks: 0, logsComplete: false })
      .catch((error: unknown) =>
        this.#host.journal.warn("loss not reported", { jobId, fence, error: messageOf(error) }),
      );
  }

  /** A newer attempt of a job ends the older one first; and nothing begins while something else is still being ended. */
  #take(record: Record): void {
    this.#fences.add(record.assignment);
    for (const older of this.#held.values()) if (older.ref.jobId === record.assignment.jobId) void this.#drop(older);
    const attempt = new Attempt(record, this.#host);
    this.#held.set(nameOf(attempt.ref), attempt);
    attempt.start(Promise.all(this.#leaving.values()));
  }

  #load(folder: string): Record | undefined {
    try {
      return Record.load(folder);
    } catch (error) {
      this.#host.journal.warn("attempt cannot be read", { folder, error: messageOf(error) });
      if (error instanceof SyntaxError) void this.#clear(folder);
      return undefined;
    }
  }

  /** Nobody else would end what runs there. That it is lost is said when the control plane asks for it. */
  async #clear(folder: string): Promise<void> {
    await end(folder, LOST_GRACE);
    discard(folder);
  }

  #reserve(record: Record): void {
    const { onError, setup } = record.assignment;
    const { step } = record.state;
    const name = nameOf(record.assignment);
    if (step === "packages" && record.has("packages.pid")) this.#host.setups.reserve(INSTALLING, name);
    if (step === "setup" && setup !== undefined && record.has("setup.pid"))
      this.#host.setups.reserve(keyOf(onError, setup), name);
  }

  #dropHeld(ref: AttemptRef): void {
    const attempt = this.#held.get(nameOf(ref));
    if (attempt !== undefined) void this.#drop(attempt);
  }

  async #drop(attempt: Attempt): Promise<void> {
    const name = nameOf(attempt.ref);
    if (this.#leaving.has(name)) return;
    this.#held.delete(name);
    const left = attempt.drop().catch((error: unknown) => {
      this.#host.journal.warn("attempt not dropped", { name, error: messageOf(error) });
    });
    this.#leaving.set(name, left);
    await left;
    this.#leaving.delete(name);
  }
}
