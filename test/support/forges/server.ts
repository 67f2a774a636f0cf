/**
 * A server on loopback that plays a forge's REST API: written by us, after the shapes that the forges document. It proves
 * that we send what the documents ask for and understand what they promise; it is not the forge.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Call {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
  /** As it came. */
  readonly text: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** What goes wrong with a call: it is answered so, or its connection is cut; `after`: what it asks for is done first. */
export interface Fault {
  readonly match?: (call: Call) => boolean;
  readonly answer: Answer | "cut";
  readonly after?: boolean;
  /** How many calls it meets; one when absent. */
  readonly times?: number;
}

export type Route = readonly [method: string, path: RegExp, run: (call: Call, parts: readonly string[]) => Answer];

export interface ForgeServer {
  readonly url: string;
  readonly calls: Call[];
  fail(fault: Fault): void;
  /** Everything that was ever sent here, as one text. */
  everything(): string;
  close(): Promise<void>;
}

export async function forgeServer(
  routes: readonly Route[],
  guard: (call: Call) => Answer | undefined,
): Promise<ForgeServer> {
  const calls: Call[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const take = (call: Call): Fault | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && (fault.match?.(call) ?? true));
    if (found) found.left--;
    return found?.fault;
  };
  const server = createServer((request, response) => {
    void read(request).then(call => {
      calls.push(call);
      const fault = take(call);
      const own = fault === undefined || fault.after ? (guard(call) ?? answer(routes, call)) : undefined;
      if (fault?.answer === "cut") return void request.socket.destroy();
      reply(response, fault?.answer ?? own ?? { status: 500 });
    });
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    fail: fault => void faults.push({ fault, left: fault.times ?? 1 }),
    everything: () => calls.map(({ method, path, query, text }) => `${method} ${path}?${query} ${text}`).join("\n"),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<Call> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  const url = new URL(request.url ?? "/", "http://forge");
  const body: Record<string, unknown> = text.startsWith("{") ? JSON.parse(text) : {};
  const { method = "GET", headers } = request;
  return { method, path: url.pathname, query: url.searchParams, headers, body, text };
}

function answer(routes: readonly Route[], call: Call): Answer {
  for (const [method, path, run] of routes) {
    const match = method === call.method ? path.exec(call.path) : null;
    if (match) return run(call, match.slice(1).map(decodeURIComponent));
  }
  return { status: 404, body: { message: "Not Found" } };
}

function reply(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(text);
}

/** One page of a list, as both forges cut it. */
export const paged = <T>(items: readonly T[], { query }: Call): T[] => {
  const size = Math.min(100, Number(query.get("per_page") ?? 30));
  const from = (Number(query.get("page") ?? 1) - 1) * size;
  return items.slice(from, from + size);
};
