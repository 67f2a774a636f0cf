/** Power for machines that are processes here: on means that an agent lives in the folder, off that nothing of it does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import type { Log } from "@muster/core/ports/ports.ts";
import type { MachineRecord, Rack } from "./machine.ts";
import { ask } from "./socket.ts";

export interface PowerOptions {
  readonly rack: Rack;
  /** How to start an agent: a program and its first arguments. */
  readonly agent: readonly [string, ...string[]];
  /** Where agents reach the control plane. */
  readonly endpoint: () => string;
  readonly log: Log;
}

/** How long an agent that is told to stop has to end its jobs, in ms. */
const STOP_PATIENCE = 20_000;
/** How long an agent may take to end after it has hung up, in ms. */
const FAREWELL = 2_000;
/** How long ending what an agent left behind may take, in ms. */
const SWEEP_PATIENCE = 60_000;
/** An agent that ends with this was refused for good: starting it again would change nothing. */
const REFUSED = 3;

export class Power {
  readonly #options: PowerOptions;
  /** Agents that this process started and that have not ended, by machine; some may not answer yet. */
  readonly #children = new Map<string, Set<ChildProcess>>();
  readonly #refused = new Set<string>();

  constructor(options: PowerOptions) {
    this.#options = options;
  }

  /** Path of the machine's agent socket. */
  #socket(machineId: string): string {
    return join(this.#options.rack.disk(machineId), "agent", "sock");
  }

  async isAlive(machineId: string): Promise<boolean> {
    return (await ask(this.#socket(machineId), "status")) !== undefined;
  }

  async kick(machineId: string): Promise<void> {
    await ask(this.#socket(machineId), "kick");
  }

  /**
   * Starts the machine's agent when none lives. An agent that was killed is started again, and adopts what it left. Not to
   * be called for one machine twice at once, nor while it is cut.
   */
  async ensure(machine: MachineRecord): Promise<void> {
    if (this.#refused.has(machine.machineId)) return;
    if (!(await this.#servesHere(machine.machineId))) await this.#start(machine);
  }

  /** Whether an agent lives there that calls this control plane; one that calls an endpoint of the past is replaced. */
  async #servesHere(machineId: string): Promise<boolean> {
    const text = await ask(this.#socket(machineId), "status");
    if (text === undefined) return false;
    const status = JSON.parse(text) as { readonly pid?: number; readonly endpoint?: string };
    if (status.endpoint === undefined || status.endpoint === this.#options.endpoint() || status.pid === undefined)
      return true;
    // KILL, because an agent that is asked to end takes its jobs along; the next one adopts them.
    process.kill(status.pid, "SIGKILL");
    return false;
  }

  async #start(machine: MachineRecord): Promise<void> {
    const disk = this.#options.rack.disk(machine.machineId);
    await mkdir(join(disk, "agent"), { recursive: true, mode: 0o700 });
    const [program, ...first] = this.#options.agent;
    const token = join(disk, "enrollment-token");
    const args = [
      "run",
      "--home",
      disk,
      "--endpoint",
      this.#options.endpoint(),
      "--enrollment-token-file",
      token,
      "--address",
      machine.address,
    ];
    const child = this.#spawn(join(disk, "agent", "output.log"), program, [...first, ...args]);
    child.unref();
    this.#keep(machine.machineId, child);
    child.once("exit", code => this.#ended(machine, code));
    child.once("error", error =>
      this.#options.log.error("an agent could not be started", { machine: machine.machineId, reason: String(error) }),
    );
  }

  #spawn(log: string, program: string, args: readonly string[]): ChildProcess {
    const output = openSync(log, "a", 0o600);
    try {
      return spawn(program, args, { detached: true, stdio: ["ignore", output, output], env: agentEnvironment() });
    } finally {
      closeSync(output);
    }
  }

  #keep(machineId: string, child: ChildProcess): void {
    const children = this.#children.get(machineId) ?? new Set();
    this.#children.set(machineId, children.add(child));
    const forget = (): void => {
      children.delete(child);
      if (children.size === 0 && this.#children.get(machineId) === children) this.#children.delete(machineId);
    };
    child.once("exit", forget).once("error", forget);
  }

  #ended(machine: MachineRecord, code: number | null): void {
    if (code === REFUSED) this.#refused.add(machine.machineId);
    if (code !== 0) this.#options.log.info("an agent ended", { machine: machine.machineId, code });
  }

  /**
   * Ends the agent and every process of its jobs; returns when none is left.
   * @throws MusterError `unavailable` when some may be left: the same call may end them later.
   */
  async cut(machineId: string): Promise<void> {
    const farewell = await ask(this.#socket(machineId), "stop", { untilClosed: true, patience: STOP_PATIENCE });
    // One that did not answer may be on its way still, and would arrive on a machine that is off.
    await this.#endChildren(machineId, farewell === undefined ? 0 : FAREWELL);
    const [program, ...first] = this.#options.agent;
    // An agent that was dead already has left its jobs behind: this finds them by their marks.
    const sweep = spawn(program, [...first, "kill", "--home", this.#options.rack.disk(machineId)], {
      stdio: "ignore",
      env: agentEnvironment(),
      timeout: SWEEP_PATIENCE,
      killSignal: "SIGKILL",
    });
    const failure = await failureOf(sweep);
    if (failure !== undefined)
      throw new MusterError("unavailable", `processes of machine ${machineId} may be left: ${failure}`);
    this.#refused.delete(machineId);
  }

  async #endChildren(machineId: string, patience: number): Promise<void> {
    const children = [...(this.#children.get(machineId) ?? [])];
    await Promise.all(
      children.map(async child => {
        const late = setTimeout(() => child.kill("SIGKILL"), patience);
        await failureOf(child);
        clearTimeout(late);
      }),
    );
  }
}

/** Waits for the end of a process. @returns what went wrong with it, if anything did. */
async function failureOf(child: ChildProcess): Promise<string | undefined> {
  try {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  } catch (error) {
    return String(error); // It could not be started.
  }
  if (child.exitCode === 0) return undefined;
  return child.signalCode === null ? `ended with code ${child.exitCode}` : `ended by ${child.signalCode}`;
}

/** What an agent may know of its surroundings: nothing of the control plane's own settings. */
function agentEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("MUSTER_") && !name.startsWith("NODE_") && !name.startsWith("npm_"),
  );
  return Object.fromEntries(kept);
}
