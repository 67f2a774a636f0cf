/** Blobs over HTTP: a node request to a fetch-style handler and back. Both bodies stream. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MusterError } from "@muster/core/error.ts";
import { drain } from "./event.ts";

export type FetchHandler = (request: Request) => Promise<Response>;

const MOUNT = "/blobs";
const BASE = "http://127.0.0.1";

/** Whether the blobs' handler answers this path. */
export const isBlobPath = (path: string): boolean => path === MOUNT || path.startsWith(`${MOUNT}/`);

/** Rejects as the handler does, or as the streams do when the connection breaks. */
export async function passOn(handle: FetchHandler, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const answer = await handle(toRequest(incoming, gone.signal));
  incoming.unpipe();
  await drain(incoming);
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body), response);
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", headers } = incoming;
  // Not on the Host header: it need not be one that a URL can hold.
  const url = new URL(incoming.url ?? "", BASE);
  // Dots in a path are resolved here: what leads out of the mount is none of the handler's business.
  if (!isBlobPath(url.pathname)) throw new MusterError("not_found", "there is nothing at this path");
  const init = { method, headers: pairs(headers), signal };
  if (method === "GET" || method === "HEAD") return new Request(url, init);
  if (method === "POST" || method === "PUT")
    return new Request(url, { ...init, body: streamOf(incoming), duplex: "half" });
  throw new MusterError("not_found", `${method} does not go with this path`);
}

/** Apart from the request itself: a handler that reads no further must not take the connection down with its stream. */
function streamOf(incoming: IncomingMessage): ReadableStream {
  const stream = new PassThrough();
  incoming.once("close", () => {
    if (!incoming.complete) stream.destroy(new Error("the connection broke"));
  });
  return Readable.toWeb(incoming.pipe(stream));
}

const pairs = (headers: IncomingMessage["headers"]): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]));
