/** One agent's life: hold the home, enroll, take over what is there, poll until told to end. */

import { rmSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Ballast } from "./ballast.ts";
import { Mounts } from "./bucket/mounts.ts";
import { Containers } from "./container/containers.ts";
import { Control, isDisowned, Refusal } from "./control/call.ts";
import { Clock } from "./control/clock.ts";
import { enroll, Refused } from "./control/enroll.ts";
import { type Identity, introduce, machineId } from "./control/introduce.ts";
import { messageOf } from "./disk.ts";
import { Peers } from "./gang/peers.ts";
import { Holdings } from "./holdings.ts";
import type { Home } from "./home.ts";
import * as Homes from "./home.ts";
import { Hooks } from "./hook/hooks.ts";
import { ask } from "./host/gpus.ts";
import { Notices } from "./host/notices.ts";
import { Pulse } from "./host/pulse.ts";
import { look, type Surroundings } from "./host/surroundings.ts";
import { Watch } from "./idle/watch.ts";
import { Journal } from "./journal.ts";
import { Power, type PowerOptions } from "./power/power.ts";
import { Ports } from "./service/ports.ts";
import { Setups } from "./setups.ts";
import { hold } from "./sock.ts";
import { VERSION } from "./version.ts";
import { backoff, sleep, Wake } from "./wait.ts";

export interface RunOptions extends Identity {
  /** Where the agent lives, given the home of the user whose jobs these are, if there is one. */
  readonly home: (jobs?: string) => Home;
  readonly endpoint: string;
  readonly power: PowerOptions;
  /** The user under whose name jobs run; the agent's own when absent. */
  readonly runAs: string | undefined;
}

type Settings = Omit<RunOptions, "home"> & { readonly home: Home; readonly machine: Surroundings };

/** Exit codes of `run`. */
export const DONE = 0;
export const REFUSED = 3;

const LIGHT = [
  "--max-semi-space-size=1",
  "--semi-space-growth-factor=1",
  "--heap-growing-percent=20",
  "--optimize-for-size",
];
/** Seconds that scripts have when the machine goes down. */
const SHUTDOWN_GRACE = 5;
/** Polls are never closer than this, whatever the control plane asks for. */
const SHORTEST_POLL = 100;
/** Nor than this, whoever asks for it, while the control plane is out of reach. */
const SHORTEST_RETRY = 500;

/** Returns the exit code when the agent has ended. */
export async function run(options: RunOptions): Promise<number> {
  // The machine is the jobs': collecting garbage early and often keeps some twenty megabytes out of their way.
  for (const flag of LIGHT) setFlagsFromString(flag);
  const machine = look(options.runAs);
  const home = options.home(machine.account?.home);
  Homes.prepare(home, machine.account);
  const agent = new Agent({ ...options, home, machine });
  const held = await hold(home, agent);
  if (held === undefined) return DONE;
  const stop = (): void => agent.stop();
  process.on("SIGTERM", stop).on("SIGINT", stop);
  try {
    return await agent.live(() => held.close());
  } finally {
    held.close();
    process.off("SIGTERM", stop).off("SIGINT", stop);
  }
}

class Agent {
  readonly #options: Settings;
  readonly #journal: Journal;
  readonly #control: Control;
  readonly #clock = new Clock();
  readonly #machine: Surroundings;
  readonly #peers: Peers;
  readonly #pulse: Pulse;
  readonly #wake = new Wake();
  readonly #quit = new AbortController();
  readonly #ballast: Ballast;
  readonly #holdings: Holdings;
  readonly #power: Power;
  readonly #notices: Notices | undefined;
  readonly #watch: Watch;
  readonly #hooks: Hooks;
  #hostId: string | undefined;
  #polledAt: number | undefined;
  /** The next poll says only what every control plane knows. */
  #isBrief = false;

  constructor(options: Settings) {
    this.#options = options;
    this.#machine = options.machine;
    this.#pulse = new Pulse(this.#machine.smi, gpus => this.#holdings.sample(gpus));
    this.#journal = new Journal(options.home.log);
    this.#peers = new Peers(options.machine, this.#journal);
    this.#control = new Control(options.endpoint);
    this.#ballast = new Ballast(options.home.ballast);
    this.#holdings = new Holdings({
      home: options.home,
      machine: this.#machine,
      control: this.#control,
      clock: this.#clock,
      journal: this.#journal,
      setups: new Setups(options.home.setups),
      ports: new Ports(),
      peers: this.#peers,
      mounts: new Mounts({ folder: options.home.mounts, path: this.#machine.path, journal: this.#journal }),
      containers: new Containers({ folder: options.home.containers, journal: this.#journal }),
      ballast: this.#ballast,
      pollSoon: () => this.kick(),
    });
    this.#notices = options.metadata && new Notices(options.metadata, this.#journal, () => this.#warned());
    const { home, machine } = options;
    this.#watch = new Watch({ home, machine, journal: this.#journal });
    this.#hooks = new Hooks({
      home,
      machine,
      journal: this.#journal,
      isBusy: () => this.#holdings.isBusy(),
      lacksRoom: error => this.#ballast.dropFor(error),
      pollSoon: () => this.kick(),
    });
    this.#power = new Power({
      ...options.power,
      record: options.home.power,
      clock: this.#clock,
      journal: this.#journal,
      isBusy: () => this.#holdings.isBusy() || this.#hooks.isBusy || this.#watch.isBusy,
      endAll: why => this.#holdings.endAll(why),
    });
  }

  /** The machine may go soon: what the control plane cannot save by itself is sent first. */
  #warned(): void {
    this.#holdings.urge();
    this.kick();
  }

  kick(): void {
    this.#wake.ring();
  }

  stop(): void {
    this.#quit.abort();
    this.#wake.ring();
  }

  status(): object {
    return {
      pid: process.pid,
      version: VERSION,
      endpoint: this.#options.endpoint,
      hostId: this.#hostId,
      polledAt: this.#polledAt,
      attempts: this.#holdings.status(),
    };
  }

  /** `leave` stops answering others, as soon as it is clear that this agent ends. */
  async live(leave: () => void): Promise<number> {
    this.#journal.note("agent begins", { pid: process.pid, version: VERSION });
    const code = await this.#serve();
    leave();
    const left = [this.#hooks.shutDown(), this.#watch.shutDown()];
    if (code === DONE) await this.#holdings.shutDown(SHUTDOWN_GRACE);
    else await this.#holdings.dropAll();
    await Promise.all(left);
    this.#journal.note("agent ends", { code });
    return code;
  }

  async #serve(): Promise<number> {
    const told = new Promise<number>(resolve => {
      this.#quit.signal.addEventListener("abort", () => resolve(DONE));
    });
    try {
      // A call that hangs must not keep the machine from going down.
      return await Promise.race([this.#work(), told, this.#homeless()]);
    } catch (error) {
      if (this.#quit.signal.aborted) return DONE;
      if (!(error instanceof Refused)) throw error;
      this.#journal.warn("this host is not wanted", { error: error.message });
      process.stderr.write(`muster agent: ${error.message}\n`);
      return REFUSED;
    }
  }

  async #work(): Promise<number> {
    await this.#enroll();
    this.#quit.signal.throwIfAborted();
    this.#holdings.adopt();
    this.#hooks.adopt();
    const polled = this.#poll();
    const quit = this.#quit.signal;
    const failed = (error: unknown): void => {
      if (!quit.aborted) this.#journal.warn("a watch has ended", { error: messageOf(error) });
    };
    this.#power.watch(quit).catch(failed);
    this.#watch.watch(quit).catch(failed);
    this.#notices?.watch(quit).catch(failed);
    return polled;
  }

  /** A machine whose disk is gone does no work any more; nobody else would end what runs there. */
  async #homeless(): Promise<never> {
    await Homes.gone(this.#options.home, this.#quit.signal);
    throw new Refused("the machine's folder is gone");
  }

  async #enroll(): Promise<void> {
    const gpus = (await ask(this.#machine.smi, "name")) ?? [];
    const { home } = this.#options;
    const enrollment = {
      home,
      journal: this.#journal,
      introduce: () => introduce(this.#options, this.#control, this.#peers, gpus),
      machineId: () => machineId(this.#options, this.#journal, this.#quit.signal),
    };
    const { hostId, hostToken } = await enroll(enrollment, this.#quit.signal);
    this.#hostId = hostId;
    this.#control.bear(hostToken);
  }

  async #poll(): Promise<number> {
    for (let failures = 0; !this.#quit.signal.aborted; ) {
      const wait = await this.#pollOnce();
      failures = wait === undefined ? failures + 1 : 0;
      // Attempts ask for polls, all the more when none is answered: nothing of that may become a storm.
      if (wait === undefined) await sleep(SHORTEST_RETRY, this.#quit.signal);
      await this.#wake.wait(wait ?? backoff(failures));
    }
    return DONE;
  }

  /** When to poll again; undefined when the control plane is out of reach. */
  async #pollOnce(): Promise<number | undefined> {
    const sentAt = Date.now();
    const notice = this.#notices?.pending;
    const attempts = this.#holdings.refs().slice(0, 256);
    const isBrief = this.#isBrief;
    this.#isBrief = false;
    const hooked = isBrief ? undefined : this.#hooks.said;
    try {
      const orders = await this.#control.poll({
        pulse: this.#pulse.take(isBrief ? undefined : this.#watch.quiet),
        attempts,
        ...(notice && { notice }),
        ...(hooked && { hooked }),
      });
      this.#notices?.told(notice);
      this.#holdings.told(attempts);
      this.#polledAt = Date.now();
      this.#clock.learn(orders.now, sentAt);
      this.#power.heard(orders.powerOff);
      this.#watch.heard(orders.watch);
      if (!this.#quit.signal.aborted) this.#holdings.apply(orders);
      if (!this.#quit.signal.aborted) this.#hooks.heard(orders.hook);
      return Math.max(SHORTEST_POLL, orders.pollAfter);
    } catch (error) {
      if (isDisowned(error)) throw this.#disowned();
      // A control plane that is older than this agent may not know what a notice is, nor a hook.
      if (error instanceof Refusal && error.status === 400) {
        this.#notices?.told(notice);
        this.#isBrief = !isBrief;
      }
      this.#journal.warn("poll not answered", { error: messageOf(error) });
      return undefined;
    }
  }

  /** The token is of no more use; the nonce stays, so that the same agent may enroll again if it still has a token for that. */
  #disowned(): Refused {
    rmSync(this.#options.home.hostToken, { force: true });
    return new Refused("the control plane no longer knows this host");
  }
}
