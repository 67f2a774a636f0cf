/**
 * Moto (AWS in Python, not ours) as a child of the test process, on a free loopback port.
 *
 * What it is not: moto's EC2 machines never boot, its transitions are instant, its SSM commands do nothing, and it
 * forgets client tokens (see client-tokens.ts). Faults and what it lacks come from the edge (edge.ts).
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { findPython } from "./python.ts";

export interface Moto {
  /** Of all its services. */
  readonly url: string;
  /** Forgets all resources. Its settings stay. */
  reset(): Promise<void>;
  /** Names the port to which the tasks of state machines call from now on: an edge's, which runs the functions. */
  callOutTo(port: number): Promise<void>;
  close(): Promise<void>;
}

export interface MotoOptions {
  /** Where the tasks of state machines call out; moto itself when absent. An edge with `lambdas` sets it by itself. */
  readonly lambdaPort?: number;
  /** Refuse machine types and images that AWS does not have, as EC2 does; true when absent. */
  readonly validate?: boolean;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const SCRIPT = fileURLToPath(new URL("moto_serve.py", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const COMPLAINT_BYTES = 8_000;

/** @throws Error with what python said, when moto does not start. */
/** In the place of the thousand of moto's own, with as many snapshots, which every reset makes anew and every list looks through. */
const IMAGES = { MOTO_AMIS_PATH: fileURLToPath(new URL("images.json", import.meta.url)) };

export async function startMoto(options: MotoOptions = {}): Promise<Moto> {
  const child = spawn(await findPython(), [SCRIPT], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...IMAGES, ...settingsOf(options) },
  });
  const complaints = listen(child);
  const lines = createInterface(child.stdout);
  const close = async () => {
    lines.close();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  try {
    const { port } = (await lineOf(child, lines)) as { port: number };
    const url = `http://127.0.0.1:${port}`;
    await post(`${url}/moto-api/config`, JSON.stringify({ stepfunctions: { execute_state_machine: true } }));
    return {
      url,
      reset: () => post(`${url}/moto-api/reset`),
      callOutTo: async target => {
        const answer = lineOf(child, lines);
        child.stdin.write(`${JSON.stringify({ call_out: target })}\n`);
        await answer;
      },
      close,
    };
  } catch (cause) {
    await close();
    throw new Error(`moto did not start\n${complaints()}`, { cause });
  }
}

function settingsOf({ lambdaPort, validate = true }: MotoOptions): Record<string, string> {
  return {
    // State machines call with boto3, which looks for a region and for credentials.
    AWS_DEFAULT_REGION: "us-east-1",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    ...(lambdaPort !== undefined && { MOTO_PORT: String(lambdaPort) }),
    ...(validate && { MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "1", MOTO_ENABLE_AMI_VALIDATION: "1" }),
  };
}

/** Keeps the end of what python complains of. */
function listen(child: Child): () => string {
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said = (said + chunk).slice(-COMPLAINT_BYTES);
  });
  return () => said;
}

/** The next line that the child prints, as JSON. */
async function lineOf(child: Child, lines: Interface): Promise<unknown> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  const ended = once(child, "exit", { signal }).then(() => {
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
