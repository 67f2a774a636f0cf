/** Power for machines that are processes here: on means that an agent lives in the folder, off that nothing of it does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
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
/** An agent that ends with this was refused for good: starting it again would change nothing. */
const REFUSED = 3;

export class Power {
  readonly #options: PowerOptions;
  readonly #starting = new Set<string>();
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

  /** Starts the machine's agent when none lives. An agent that was killed is started again, and adopts what it left. */
  async ensure(machine: MachineRecord): Promise<void> {
    const { machineId } = machine;
    if (this.#starting.has(machineId) || this.#refused.has(machineId)) return;
    this.#starting.add(machineId);
    try {
      if (!(await this.#servesHere(machineId))) await this.#start(machine);
    } finally {
      this.#starting.delete(machineId);
    }
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
    const token = join(disk, "enrolment-token");
    const args = [
      "run",
      "--home",
      disk,
      "--endpoint",
      this.#options.endpoint(),
      "--enrolment-token-file",
      token,
      "--address",
      machine.address,
    ];
    const output = openSync(join(disk, "agent", "output.log"), "a", 0o600);
    const child = spawn(program, [...first, ...args], {
      detached: true,
      stdio: ["ignore", output, output],
      env: agentEnvironment(),
    });
    closeSync(output);
    child.unref();
    child.once("exit", code => this.#ended(machine, code));
    child.once("error", error =>
      this.#options.log.error("an agent could not be started", { machine: machine.machineId, reason: String(error) }),
    );
  }

  #ended(machine: MachineRecord, code: number | null): void {
    if (code === REFUSED) this.#refused.add(machine.machineId);
    if (code !== 0) this.#options.log.info("an agent ended", { machine: machine.machineId, code });
  }

  /** Ends the agent and every process of its jobs; returns when none is left. */
  async cut(machineId: string): Promise<void> {
    await ask(this.#socket(machineId), "stop", { untilClosed: true, patience: STOP_PATIENCE });
    const [program, ...first] = this.#options.agent;
    // An agent that was dead already has left its jobs behind: this finds them by their marks.
    const sweep = spawn(program, [...first, "kill", "--home", this.#options.rack.disk(machineId)], {
      stdio: "ignore",
      env: agentEnvironment(),
    });
    await ended(sweep);
    this.#refused.delete(machineId);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** What an agent may know of its surroundings: nothing of the control plane's own settings. */
function agentEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("MUSTER_") && !name.startsWith("NODE_") && !name.startsWith("npm_"),
  );
  return Object.fromEntries(kept);
}
