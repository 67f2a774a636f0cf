/**
 * Moto (AWS in Python, not ours) in a process that is the test process's alone, on a free loopback port.
 *
 * What it is not: moto's EC2 machines never boot, its transitions are instant, its SSM commands do nothing, and it
 * forgets client tokens (see client-tokens.ts). Faults and what it lacks come from the edge (edge.ts).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface, type Interface } from "node:readline";
import { inject } from "vitest";

export interface Moto {
  /** Of all its services. */
  readonly url: string;
  /** Forgets all resources. Its settings stay. */
  reset(): Promise<void>;
  /** Names the port to which the tasks of state machines call from now on: an edge's, which runs the functions. */
  callOutTo(port: number): Promise<void>;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;

/** @throws Error when moto does not start; python has said why. */
export async function startMoto(): Promise<Moto> {
  const socket = connect(inject("motos"));
  const lines = createInterface(socket);
  // Also one that breaks off has ended.
  const ended = once(socket, "close").catch(() => undefined);
  try {
    const { port, pid } = (await lineOf(socket, lines)) as { port: number; pid: number };
    const url = `http://127.0.0.1:${port}`;
    await post(`${url}/moto-api/config`, JSON.stringify({ stepfunctions: { execute_state_machine: true } }));
    return {
      url,
      reset: () => post(`${url}/moto-api/reset`),
      callOutTo: async target => {
        const answer = lineOf(socket, lines);
        socket.write(`${JSON.stringify({ call_out: target })}\n`);
        await answer;
      },
      close: async () => {
        lines.close();
        // While the connection is open, the process is that one and no other.
        if (!socket.readableEnded) process.kill(pid, "SIGKILL");
        socket.resume();
        await ended;
      },
    };
  } catch (cause) {
    socket.destroy();
    throw new Error("moto did not start", { cause });
  }
}

/** The next line that it says, as JSON. */
async function lineOf(socket: Socket, lines: Interface): Promise<unknown> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  const ended = once(socket, "close", { signal }).then(() => {
    throw new Error("python ended");
  });
  try {
    const [line] = await Promise.race([once(lines, "line", { signal }), ended]);
    return JSON.parse(String(line));
  } finally {
    ended.catch(() => undefined);
    done.abort();
  }
}

async function post(url: string, body?: string): Promise<void> {
  const answer = await fetch(url, { method: "POST", ...(body !== undefined && { body }) });
  if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${url}: ${await answer.text()}`);
}
