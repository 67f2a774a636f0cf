/** A deployed function: its bundle in a process of its own, with the environment that its stack gives it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("lambda-child.ts", import.meta.url));

export interface Deployed {
  invoke(event: unknown): Promise<unknown>;
  /** What it wrote to its log, a line each. */
  readonly lines: readonly string[];
  /** Ends its environment, whatever it is doing; the next event starts another. */
  kill(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** @param clock `ahead`: how far its clock is ahead of ours, in ms; each event tells it. */
export function deployed(
  bundle: string,
  env: Readonly<Record<string, string>>,
  clock: { readonly ahead: number },
): Deployed {
  const lines: string[] = [];
  let current: { readonly child: ChildProcess; readonly waiting: Map<number, Waiting> } | undefined;
  let next = 0;

  function start() {
    const child = fork(CHILD, [bundle], {
      env: { PATH: process.env.PATH, ...env },
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
    });
    const waiting = new Map<number, Waiting>();
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
    child.on("message", (message: Answer & { ready?: true }) => {
      if (message.ready) return;
      const one = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) one?.reject(Object.assign(new Error(message.error.message), { name: message.error.name }));
      else one?.resolve(message.result);
    });
    child.once("exit", code => {
      const error = Object.assign(new Error(`the function ended with ${code}: ${lines.slice(-5).join("\n")}`), {
        name: "Runtime.ExitError",
      });
      for (const one of waiting.values()) one.reject(error);
      if (current?.child === child) current = undefined;
    });
    return { child, waiting };
  }

  return {
    lines,
    invoke: event => {
      current ??= start();
      const { child, waiting } = current;
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, event, ahead: clock.ahead });
      });
    },
    kill: async () => {
      const child = current?.child;
      current = undefined;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
