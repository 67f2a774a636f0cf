/** Runs the command line as its users do: a process of its own, `bin/muster.js` on this Node. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../../packages/cli/bin/muster.js", import.meta.url));
export const EXAMPLES = fileURLToPath(new URL("../../../examples", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when what was written so far, on either stream, holds this text. */
  saw(text: string): Promise<void>;
}

/** A home of its own for the embedded control plane, with everything in it ended at the end. */
export class Home implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), "muster-cli-"));
  readonly #env: NodeJS.ProcessEnv;

  readonly #bin: string;

  constructor(env: NodeJS.ProcessEnv = {}, bin = BIN) {
    this.#bin = bin;
    const { CI, MUSTER_ENDPOINT, MUSTER_TOKEN, NO_COLOR, FORCE_COLOR, ...inherited } = process.env;
    this.#env = { ...inherited, MUSTER_HOME: this.path, ...env };
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const child = spawn(process.execPath, [this.#bin, ...args], {
      cwd: join(EXAMPLES, ".."),
      env: { ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return watch(child);
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** What a command answers with --json. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await this.run(...args, "--json")).out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("down", "--all", "--yes");
    await this.run("local", "stop");
    rmSync(this.path, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess): Running {
  const text = { out: "", err: "" };
  const waiting = new Set<() => void>();
  const take = (stream: "out" | "err") => (part: Buffer) => {
    text[stream] += part;
    for (const look of waiting) look();
  };
  child.stdout?.on("data", take("out"));
  child.stderr?.on("data", take("err"));
  const ended = new Promise<Ended>(resolve => child.once("close", code => resolve({ code, ...text })));
  const saw = (wanted: string) =>
    new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!text.out.includes(wanted) && !text.err.includes(wanted)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(`ended without '${wanted}':\n${text.out}${text.err}`)));
      look();
    });
  return { child, ended, saw };
}
