/** A home in a temporary folder, a control plane for it, and real agents in processes of their own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Report } from "@muster/core/agent/protocol.ts";
import { afterAll, vi } from "vitest";
import { mountsIn, unmount } from "../../../packages/agent/src/bucket/mountinfo.ts";
import { at, type Home } from "../../../packages/agent/src/home.ts";
import { list, MARKER } from "../../../packages/agent/src/script/processes.ts";
import { ask } from "../../../packages/agent/src/sock.ts";
import { Plane } from "./plane.ts";
import { until } from "./until.ts";

const SOURCE = resolve("packages/agent/src/main.ts");
const FLAGS = ["--bundle", "--platform=node", "--format=esm", "--target=node24", "--minify", "--log-level=error"];

/** What is shipped: one file. It also starts five times as fast as the source, which counts here. */
export function bundle(folder: string): string {
  const file = join(folder, "agent.mjs");
  execFileSync("node_modules/.bin/esbuild", [SOURCE, ...FLAGS, `--outfile=${file}`]);
  return file;
}

vi.setConfig({ testTimeout: 40_000 });

const program = mkdtempSync(join(tmpdir(), "ma-bin-"));
const bundled = bundle(program);

/** A test that runs out of time must not leave an agent behind. */
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const agent of started) agent.kill("SIGKILL");
  rmSync(program, { recursive: true, force: true });
});

type Exited = Extract<Report, { state: "exited" }>;

export class Bench {
  readonly plane: Plane;
  readonly home: Home;
  readonly #agents: ChildProcess[] = [];

  private constructor(plane: Plane, home: Home) {
    this.plane = plane;
    this.home = home;
  }

  static async open(folder = tmpdir()): Promise<Bench> {
    const bench = new Bench(await Plane.open(), at(mkdtempSync(join(folder, "ma-"))));
    writeFileSync(join(bench.home.root, "token"), "mse_w.hst_1.secret\n");
    return bench;
  }

  /** An agent that holds the home; `env` stands over the environment that it would have. */
  async agent(env: Readonly<Record<string, string>> = {}): Promise<ChildProcess> {
    const agent = this.start(undefined, undefined, env);
    await until("the agent to answer", () => ask(this.home, "status"));
    return agent;
  }

  /** Starts the program, and waits for nothing. */
  start(
    [command = "run", ...more]: readonly string[] = [],
    main = bundled,
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const usual = command === "run" ? ["--endpoint", this.plane.url, "--enrollment-token-file", this.tokenFile] : [];
    const agent = spawn(process.execPath, [main, command, "--home", this.home.root, ...usual, ...more], {
      env: { ...process.env, CONTROL_PLANE_SECRET: "not for jobs", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#agents.push(agent);
    started.add(agent);
    return agent;
  }

  /** Those that run. */
  agents(): readonly ChildProcess[] {
    return this.#agents.filter(isRunning);
  }

  get tokenFile(): string {
    return join(this.home.root, "token");
  }

  /** Runs a command of the program to its end. */
  async command(...words: string[]): Promise<number | null> {
    return codeOf(this.start(words));
  }

  async kick(): Promise<void> {
    await ask(this.home, "kick");
  }

  /** The end that the control plane was told of. */
  async exit(jobId: string, fence = 1, limit?: number): Promise<Exited> {
    return until(`${jobId} to be reported over`, () => this.plane.exit(jobId, fence), limit);
  }

  /** What a job wrote to a file of this name in its HOME. */
  read(name: string): string | undefined {
    const path = join(this.home.jobs, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  /** Makes an empty file in the jobs' HOME. */
  write(name: string): void {
    writeFileSync(join(this.home.jobs, name), "");
  }

  /** What is on the agent's record of an attempt. */
  agentState(attempt: string): string {
    const path = join(this.home.attempts, attempt, "state.json");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  attempts(): string[] {
    return existsSync(this.home.attempts) ? readdirSync(this.home.attempts) : [];
  }

  /** The processes of all attempts of this home that are marked as such. */
  processes(): number[] {
    return list({ environment: `${MARKER}=${this.home.root}/`, command: `${this.home.attempts}/` })
      .filter(one => one.marked)
      .map(one => one.pid);
  }

  agentLog(): string {
    return existsSync(this.home.log) ? readFileSync(this.home.log, "utf8") : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) if (isRunning(agent)) await murder(agent);
    await until("the jobs' processes to end", () => {
      const left = this.processes();
      for (const pid of left) tryKill(pid);
      return left.length === 0;
    });
    await this.plane.close();
    // Removing what a test has mounted would remove it from where it comes from.
    for (const place of mountsIn(this.home.root)) await unmount(place);
    // A power-off command may still be writing there.
    await rm(this.home.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** kill -9. */
export async function murder(agent: ChildProcess): Promise<void> {
  const gone = once(agent, "exit");
  agent.kill("SIGKILL");
  await gone;
}

export async function codeOf(agent: ChildProcess): Promise<number | null> {
  if (isRunning(agent)) await once(agent, "exit");
  return agent.exitCode;
}

export const isRunning = (agent: ChildProcess): boolean => agent.exitCode === null && agent.signalCode === null;

export function isAlive(pid: number): boolean {
  return list({ environment: "", command: "" }).some(one => one.pid === pid);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
