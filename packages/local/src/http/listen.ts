/**
 * The local HTTP server: what API Gateway is on AWS, on this machine's loopback. It hands requests of the route table to
 * the same handlers, as the same events, and those for blobs to theirs.
 *
 * Gotcha: a page in the user's browser can reach loopback too. It is kept out by the Host check (a name that was made to
 * point here is not ours), by the bearer tokens, and by never allowing another origin.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type HttpAnswer, type HttpEvent, refusal } from "@muster/api/http.ts";
import { entries } from "@muster/api/routes.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Log } from "@muster/core/ports/ports.ts";
import { type FetchHandler, isBlobPath, passOn } from "./blobs.ts";
import { tellBroken } from "./broken.ts";
import { drain, splitTarget, toEvent } from "./event.ts";
import { matcher } from "./match.ts";

export interface Listening {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Takes no more requests, lets those under way end, and cuts off what still talks after two seconds. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly dispatch: (event: HttpEvent) => Promise<HttpAnswer>;
  readonly blobs: FetchHandler;
  /** Any free one when absent or 0. */
  readonly port?: number;
  readonly log?: Pick<Log, "error">;
  /** How long the parts of a request may take to arrive, in ms. */
  readonly patience?: { readonly headers: number; readonly body: number; readonly blob: number };
}

const HOST = "127.0.0.1";
const MAX_HEADER_BYTES = 16_384;
const PATIENCE = { headers: 10_000, body: 30_000, blob: 600_000 };
/** Longer than the pause between an agent's polls. */
const KEEP_ALIVE = 75_000;
const FAREWELL = 2_000;
const SWEEP = 20;

/** @throws MusterError `conflict` when the port is taken. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { headers, blob } = options.patience ?? PATIENCE;
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headers,
    requestTimeout: blob,
    keepAliveTimeout: KEEP_ALIVE,
    connectionsCheckingInterval: Math.min(headers, 5_000),
  };
  const server = createServer(limits, listener(options)).on("clientError", tellBroken(MAX_HEADER_BYTES));
  const { port } = await bind(server, options.port ?? 0);
  return { url: `http://${HOST}:${port}`, close: () => close(server) };
}

function bind(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? taken(port) : error));
    server.listen(port, HOST, () => resolve(server.address() as AddressInfo));
  });
}

const taken = (port: number): MusterError =>
  new MusterError("conflict", `port ${port} is taken by another program`, { hint: "choose another, or none at all" });

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => server.closeAllConnections(), FAREWELL);
    // A connection whose last answer goes out after this moment is kept alive unless somebody looks again.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
  });
}

function listener(options: ListenOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const match = matcher(entries.map(([, route]) => route));
  const raw = new Map(entries.map(([, { method, path, raw: most }]) => [`${method} ${path}`, most]));
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requireLocal(request.headers.host);
    const { path } = splitTarget(request.url ?? "");
    if (isBlobPath(path)) return passOn(options.blobs, request, response);
    const matched = match(request.method ?? "", path);
    const patience = (options.patience ?? PATIENCE).body;
    send(response, await options.dispatch(await toEvent(request, matched, patience, raw.get(matched.routeKey))));
  };
  return (request, response) => {
    respond(request, response).catch(async (error: unknown) => {
      await drain(request);
      fail(options.log, request, response, error);
    });
  };
}

/** @throws MusterError `forbidden` for a name that only resolves to this machine. */
function requireLocal(host = ""): void {
  if (/^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host)) return;
  throw new MusterError("forbidden", "this server answers to 127.0.0.1 and localhost only", {
    hint: `ask for http://${HOST}, by this name`,
  });
}

function fail(log: ListenOptions["log"], request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // Nobody is there to be told, or half of the answer is out already.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!request.complete) response.setHeader("connection", "close");
  const isVisible = error instanceof MusterError;
  if (!isVisible) log?.error("request failed", { error: error instanceof Error ? error.stack : String(error) });
  send(response, refusal(isVisible ? error : new MusterError("internal", "something went wrong inside Muster")));
}

function send(response: ServerResponse, { statusCode, headers, body }: HttpAnswer): void {
  response.writeHead(statusCode, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
