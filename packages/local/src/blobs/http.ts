/** The blobs' edge over HTTP, as the local server mounts it under `/blobs`: POST a form, GET a signed URL. */
import { errors, MusterError } from "@muster/core/error.ts";
import { tooMuch } from "./allowed.ts";
import type { BlobEdge, OpenBlob } from "./blobs.ts";
import type { Grant } from "./grants.ts";
import { MAX_FIELDS_BYTES, readForm } from "./multipart.ts";

const MOUNT = "/blobs";

/**
 * Answers POST `…/blobs` and GET `…/blobs/<key>?…`. Uploads and downloads stream.
 *
 * Gotcha: a refused upload is answered before its body was read, with `connection: close`, which the server should heed.
 */
export async function handleBlobRequest(edge: BlobEdge, request: Request): Promise<Response> {
  try {
    const url = new URL(request.url);
    const below = url.pathname.slice(url.pathname.indexOf(MOUNT) + MOUNT.length);
    if (request.method === "POST" && below === "") return await post(edge, request);
    if (request.method === "GET" && below.startsWith("/")) return await get(edge, request, below.slice(1), url);
    throw new MusterError("invalid_request", `${request.method} does not go with this path`);
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const { code, message, details } = error;
    const headers: Record<string, string> = request.method === "POST" ? { connection: "close" } : {};
    return Response.json({ code, message, details }, { status: errors[code].status, headers });
  }
}

async function post(edge: BlobEdge, request: Request): Promise<Response> {
  const body = request.body?.values();
  if (body === undefined) throw new MusterError("invalid_request", "the form is not there");
  const { fields, file } = await readForm(request.headers.get("content-type") ?? "", body);
  const key = fields.get("key");
  if (key === undefined) throw new MusterError("invalid_request", "the form has no key before its file");
  checkLength(request, edge.grant(fields, key));
  await edge.accept(fields, key, file);
  await drain(body);
  return new Response(null, { status: 204 });
}

/** Reads what stands behind the file, so that the connection can serve again. Nobody wants it. */
async function drain(body: AsyncIterator<Uint8Array>): Promise<void> {
  let left = MAX_FIELDS_BYTES;
  while (left > 0) {
    const next = await body.next();
    if (next.done) return;
    left -= next.value.length;
  }
}

/** Refuses what says itself that it is too large, before a byte of it is stored. */
function checkLength(request: Request, grant: Grant): void {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > grant.maxBytes + MAX_FIELDS_BYTES) throw tooMuch(grant);
}

async function get(edge: BlobEdge, request: Request, path: string, url: URL): Promise<Response> {
  const blob = await edge.open(path, url.searchParams);
  const range = rangeOf(request.headers.get("range") ?? "", blob.size);
  const headers = new Headers({
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    // What a job wrote must not run as a page of this server.
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
  });
  if (range === undefined) return answer(blob, 200, headers, 0, blob.size - 1);
  if (range === "outside") {
    await blob.close();
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${blob.size}` } });
  }
  headers.set("content-range", `bytes ${range.start}-${range.end}/${blob.size}`);
  return answer(blob, 206, headers, range.start, range.end);
}

function answer(blob: OpenBlob, status: number, headers: Headers, start: number, end: number): Response {
  headers.set("content-length", String(end - start + 1));
  return new Response(blob.stream(start, end), { status, headers });
}

/** One range of bytes. Several, and other units, are ignored, as the standard allows. */
function rangeOf(header: string, size: number): { start: number; end: number } | "outside" | undefined {
  const [whole, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (whole === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return clamp(size - Number(last), size - 1, size);
  if (last !== "" && Number(last) < Number(first)) return undefined;
  return clamp(Number(first), last === "" ? size - 1 : Number(last), size);
}

function clamp(start: number, end: number, size: number): { start: number; end: number } | "outside" {
  const from = Math.max(0, start);
  return from >= size ? "outside" : { start: from, end: Math.min(end, size - 1) };
}
