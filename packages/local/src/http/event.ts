/** A node request as an event of API Gateway's. */
import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type HttpEvent, MAX_BODY } from "@muster/api/http.ts";
import { tooLarge } from "@muster/api/serve-input.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Matched } from "./match.ts";

/** The most that is read of a body that nobody wants: its sender, cut off while it sends, may never see the answer. */
const MOST_DRAINED = 32 * MAX_BODY;
const LONGEST_DRAIN = 1_000;

/** Path and query of the request's target, apart. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * @param patience ms until its body must be here.
 * @param most bytes of its body.
 * @throws MusterError `too_large`, or `invalid_request` when the body takes too long. Rejects as the stream does when the
 * connection breaks.
 */
export async function toEvent(
  request: IncomingMessage,
  matched: Matched,
  patience: number,
  most = MAX_BODY,
): Promise<HttpEvent> {
  const { path, query } = splitTarget(request.url ?? "");
  const body = hasBody(request) ? await readBody(request, patience, most) : Buffer.alloc(0);
  const isText = isUtf8(body);
  return {
    ...matched,
    rawPath: path,
    rawQueryString: query,
    headers: flat(request.headers),
    ...(body.length > 0 && { body: body.toString(isText ? "utf8" : "base64") }),
    isBase64Encoded: !isText,
    requestContext: { requestId: randomUUID(), http: { method: request.method ?? "", ...fromOf(request) } },
  };
}

function fromOf({ socket }: IncomingMessage): { readonly sourceIp?: string } {
  const { remoteAddress } = socket;
  return remoteAddress === undefined ? {} : { sourceIp: remoteAddress };
}

function flat(headers: IncomingMessage["headers"]): Record<string, string> {
  const single: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) single[name] = typeof value === "string" ? value : value.join(",");
  }
  return single;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

async function readBody(request: IncomingMessage, patience: number, most: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const late = setTimeout(() => reject(new MusterError("invalid_request", "the body did not come in time")), patience);
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer) => {
    size += chunk.length;
    if (size > most) reject(tooLarge(most));
    else chunks.push(chunk);
  };
  request
    .on("data", keep)
    .once("end", () => resolve(Buffer.concat(chunks, size)))
    .once("error", reject);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    request.off("data", keep);
  }
}

/** Reads on to the end of a body whose answer is ready, within bounds, so that its sender gets to see that answer. */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const enough = setTimeout(resolve, LONGEST_DRAIN);
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST_DRAINED) resolve();
  });
  for (const end of ["end", "close", "error"]) request.once(end, () => resolve());
  request.resume();
  await promise;
  clearTimeout(enough);
}
