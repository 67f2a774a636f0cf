/**
 * One agent per home: whoever holds the socket is the agent. Others find out here whether it lives, and talk to it:
 * one word a connection (`kick`, `status`, `stop`), one line back; after `stop` the connection closes when the agent ends.
 *
 * Gotchas: a socket that nobody answers is left over from a killed agent, and only unlinking makes its name free. Two
 * agents that start together could both unlink; on Linux a second socket in the abstract namespace, which dies with its
 * holder, lets only one of them get so far.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { hasCode } from "./disk.ts";
import type { Home } from "./home.ts";
import { sleep } from "./wait.ts";

export interface Commands {
  kick(): void;
  status(): object;
  stop(): void;
}

export interface Held {
  /** No longer answers; the home is still this agent's until the process ends. */
  close(): void;
}

/** What the systems' addresses hold, the smallest of them. */
const LONGEST_PATH = 103;
/** How long a predecessor may take to end after it has stopped answering. */
const PATIENCE = 15_000;

/** Undefined when another agent lives in this home. */
export async function hold(home: Home, commands: Commands): Promise<Held | undefined> {
  if (Buffer.byteLength(home.sock) > LONGEST_PATH)
    throw new Error(`${home.sock} is too long for a socket (${LONGEST_PATH} bytes): take a shorter home`);
  const locks = await lock(home);
  if (locks === undefined || (await ask(home, "status")) !== undefined) return undefined;
  rmSync(home.sock, { force: true });
  const server = await listen(home.sock, commands);
  if (server === undefined) return undefined;
  return {
    close: () => {
      server.close();
      rmSync(home.sock, { force: true });
    },
  };
}

/** Sends one word; the answer, or undefined when no agent lives there. `whole` waits until the agent hangs up. */
export function ask(home: Home, word: string, whole = false): Promise<string | undefined> {
  return new Promise(resolve => {
    const heard: string[] = [];
    const socket = connect(home.sock);
    socket.setEncoding("utf8").setTimeout(whole ? 30_000 : 5_000, () => socket.destroy());
    socket.on("connect", () => socket.write(`${word}\n`));
    socket.on("data", (text: string) => {
      heard.push(text);
      if (!whole && text.includes("\n")) socket.end();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(heard.length === 0 ? undefined : heard.join("").trimEnd()));
  });
}

async function lock(home: Home): Promise<Server | "none" | undefined> {
  if (process.platform !== "linux") return "none";
  const name = `\0muster-agent-${createHash("sha256").update(home.agent).digest("hex").slice(0, 32)}`;
  for (const until = Date.now() + PATIENCE; Date.now() < until; await sleep(50)) {
    const server = await listen(name, undefined);
    if (server !== undefined) return server;
    if ((await ask(home, "status")) !== undefined) return undefined;
  }
  return undefined;
}

/** Undefined when the name is taken. */
function listen(name: string, commands: Commands | undefined): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => serve(socket, commands));
    server.once("error", error => (hasCode(error, "EADDRINUSE") ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}

function serve(socket: Socket, commands: Commands | undefined): void {
  socket.on("error", () => socket.destroy());
  if (commands === undefined) return void socket.destroy();
  const lines = createInterface({ input: socket });
  // It tells of the socket's errors again: whoever asked is gone, and that is all.
  lines.on("error", () => socket.destroy());
  lines.once("line", word => {
    socket.write(`${answer(word.trim(), commands)}\n`);
    if (word.trim() !== "stop") socket.end();
  });
}

function answer(word: string, commands: Commands): string {
  if (word === "status") return JSON.stringify(commands.status());
  if (word !== "kick" && word !== "stop") return "unknown";
  commands[word]();
  return "ok";
}
