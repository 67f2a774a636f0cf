/** One HTTP request and its answer, over connections that are kept. */
import type { Agent, IncomingHttpHeaders, IncomingMessage } from "node:http";
import * as https from "node:https";
import { buffer } from "node:stream/consumers";

export interface Exchange {
  readonly method: string;
  readonly origin: string;
  /** With its query, encoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** For the whole exchange, in ms. */
  readonly timeout: number;
  /** False: on a new connection of its own, which cannot have died unnoticed. */
  readonly pooled: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** No answer came, or not all of it. */
export class Broken extends Error {
  /** Such as ECONNRESET, or ETIMEDOUT. */
  readonly code: string;
  /** Whether anything may have reached the other side. */
  readonly sent: boolean;
  /** A connection from the pool ended before the first byte of an answer: most likely it was dead before. */
  readonly stale: boolean;

  constructor(cause: unknown, { sent, stale }: { readonly sent: boolean; readonly stale: boolean }) {
    const { code, message } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : { code: "", message: "" };
    super(message || "the connection broke", { cause });
    this.name = "Broken";
    this.code = code || "ECONNRESET";
    this.sent = sent;
    this.stale = stale;
  }
}

/** A place that does not take a connection within this time will not take one at all. */
const CONNECT_MS = 3000;
const DEAD = new Set(["ECONNRESET", "EPIPE"]);

interface Transport {
  readonly request: typeof https.request;
  readonly agent: Agent;
  /** The event of a socket that may be written to. */
  readonly ready: "connect" | "secureConnect";
}

const secure: Transport = {
  request: https.request,
  agent: new https.Agent({ keepAlive: true }),
  ready: "secureConnect",
};
const transports = new Map<string, Transport>([["https:", secure]]);

/** Without TLS only emulators are spoken to. Gotcha: a static import of node:http loads all of fetch with it, 40 ms. */
function transportOf(protocol: string): Transport {
  const known = transports.get(protocol);
  if (known !== undefined) return known;
  const { request, Agent } = process.getBuiltinModule("node:http");
  const transport: Transport = { request, agent: new Agent({ keepAlive: true }), ready: "connect" };
  transports.set(protocol, transport);
  return transport;
}

/** @throws Broken */
export async function exchange(given: Exchange): Promise<Answer> {
  const seen = { connected: false, answered: false, reused: false };
  const limits: NodeJS.Timeout[] = [];
  try {
    const response = await open(given, seen, limits);
    seen.answered = true;
    const body = await buffer(response);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new Broken(error, { sent: seen.connected, stale: seen.reused && !seen.answered && DEAD.has(code) });
  } finally {
    for (const limit of limits) clearTimeout(limit);
  }
}

interface Seen {
  connected: boolean;
  reused: boolean;
}

/** Resolves when the head of the answer is there. The limits run until the caller ends them. */
function open(given: Exchange, seen: Seen, limits: NodeJS.Timeout[]): Promise<IncomingMessage> {
  const { hostname, port, protocol } = new URL(given.origin);
  const { request, agent, ready } = transportOf(protocol);
  return new Promise((resolve, reject) => {
    const out = request({
      method: given.method,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      ...(port !== "" && { port }),
      path: given.target,
      headers: given.headers,
      agent: given.pooled && agent,
    });
    const give = (what: string) => () => {
      const error = Object.assign(new Error(what), { code: "ETIMEDOUT" });
      // An answer that has begun ends with this error too.
      answer?.destroy(error);
      out.destroy(error);
    };
    let answer: IncomingMessage | undefined;
    const connecting = setTimeout(give("no connection"), Math.min(CONNECT_MS, given.timeout));
    limits.push(connecting, setTimeout(give(`no answer within ${given.timeout} ms`), given.timeout));
    const connected = () => {
      seen.connected = true;
      clearTimeout(connecting);
    };
    out.on("socket", socket => {
      seen.reused = out.reusedSocket;
      if (out.reusedSocket) connected();
      else socket.once(ready, connected);
    });
    out.on("error", reject);
    out.on("response", response => {
      answer = response;
      resolve(response);
    });
    out.end(given.body);
  });
}
