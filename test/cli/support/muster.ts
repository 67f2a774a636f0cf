/** Runs the command line as its users do: a process of its own, `bin/muster.js` on this Node. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The sources, or what a suite has bundled of them (test/support/bundled.ts). */
const BIN =
  process.env.MUSTER_TEST_BIN ?? fileURLToPath(new URL("../../../packages/cli/bin/muster.js", import.meta.url));
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
    const own = /^(CI|MUSTER_.*|NO_COLOR|FORCE_COLOR|AWS_.*)$/;
    const inherited = Object.entries(process.env).filter(([name]) => !own.test(name));
    this.#env = {
      ...Object.fromEntries(inherited),
      MUSTER_HOME: this.path,
      XDG_CONFIG_HOME: join(this.path, "config"),
      XDG_CACHE_HOME: join(this.path, "cache"),
      // Whoever runs these tests may have AWS credentials; nothing here may find them.
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: join(this.path, "aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(this.path, "aws-credentials"),
      ...env,
    };
  }

  /** Where the contexts are. */
  get config(): string {
    return join(this.path, "config", "muster", "config.json");
  }

  /** @param input What the command reads; nothing when absent. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string): Running {
    const child = spawn(process.execPath, [this.#bin, ...args], {
      cwd: join(EXAMPLES, ".."),
      env: { ...this.#env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.stdin?.end(input);
    return watch(child);
  }

  /** Runs it on a terminal of its own, which shows both streams as one. */
  onTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const command = [process.execPath, this.#bin, ...args].map(word => `'${word}'`).join(" ");
    const child = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { ...this.#env, TERM: "xterm", NO_COLOR: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return watch(child);
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Logs in, with the token on standard input. */
  login(endpoint: string, token: string, ...more: string[]): Promise<Ended> {
    return this.start(["login", endpoint, ...more], {}, token).ended;
  }

  /** What a command answers with --json. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await this.run(...args, "--json")).out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where a control plane of this home's own came to be.
    if (existsSync(join(this.path, "table.db"))) {
      await this.run("down", "--all", "--yes", "--context", "local");
      await this.run("local", "stop");
    }
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
