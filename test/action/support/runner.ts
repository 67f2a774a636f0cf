/** Runs the bundled action as GitHub's runner does: inputs by environment, what it says by files, the end as a step of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUNDLE = fileURLToPath(new URL("../../../packages/action/bin/bundle.ts", import.meta.url));

export interface Step {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when what it wrote so far holds this text. */
  saw(text: string): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly log: string;
}

export class Runner implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "runner-"));
  readonly #dist = join(this.folder, "action", "dist");
  readonly #inputs: Readonly<Record<string, string>>;

  constructor(inputs: Readonly<Record<string, string>>) {
    this.#inputs = inputs;
    for (const name of ["temp", "work"]) mkdirSync(join(this.folder, name));
    for (const name of FILES) writeFileSync(this.#file(name), "");
    execFileSync(process.execPath, [BUNDLE, this.#dist], { stdio: "pipe" });
  }

  /** Puts a file into the workspace. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, "work", name), text);
  }

  main(env: NodeJS.ProcessEnv = {}): Step {
    return this.#start("main.js", env);
  }

  /** With the state that the step has left. */
  post(env: NodeJS.ProcessEnv = {}): Step {
    const state = Object.entries(this.read("STATE")).map(([name, value]) => [`STATE_${name}`, value]);
    return this.#start("post.js", { ...env, ...Object.fromEntries(state) });
  }

  /** What a file of the runner holds, as `name<<delimiter` blocks say it. */
  read(name: (typeof FILES)[number]): Record<string, string> {
    const blocks = this.text(name).matchAll(/^(.+?)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm);
    return Object.fromEntries([...blocks].map(([, key, , value]) => [key, value]));
  }

  text = (name: (typeof FILES)[number]): string => readFileSync(this.#file(name), "utf8");

  #file = (name: string): string => join(this.folder, `${name}.txt`);

  #start(program: string, env: NodeJS.ProcessEnv): Step {
    const inputs = Object.entries(this.#inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const files = FILES.map(name => [`GITHUB_${name}`, this.#file(name)]);
    const child = spawn(process.execPath, [join(this.#dist, program)], {
      cwd: join(this.folder, "work"),
      env: {
        ...{ PATH: process.env.PATH, HOME: this.folder, CI: "true", GITHUB_ACTIONS: "true" },
        RUNNER_TEMP: join(this.folder, "temp"),
        ...Object.fromEntries([...inputs, ...files]),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return watch(child);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const FILES = ["OUTPUT", "STATE", "STEP_SUMMARY", "ENV", "PATH"] as const;

function watch(child: ChildProcess): Step {
  const said = { text: "" };
  const waiting = new Set<() => void>();
  const take = (part: Buffer): void => {
    said.text += part;
    for (const look of waiting) look();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const ended = new Promise<Ended>(resolve => child.once("close", code => resolve({ code, log: said.text })));
  const saw = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (said.text.includes(wanted)) resolve();
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(`ended without '${wanted}':\n${said.text}`)));
      look();
    });
  return { child, ended, saw };
}
