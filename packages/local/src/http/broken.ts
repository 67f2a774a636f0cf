/** What cannot be read as a request is told so in the form of every failure: too long, too slow, or no HTTP. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { refusal } from "@muster/api/http.ts";
import { MusterError } from "@muster/core/error.ts";

/** Node's codes of such failures, and the statuses that it would answer with. */
const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Makes the listener for a server's `clientError`. @param maxHeader most bytes of a request's headers */
export const tellBroken =
  (maxHeader: number) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    // Whoever is gone hears nothing.
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = statuses[error.code ?? ""] ?? 400;
    const { headers, body } = refusal(failureOf(status, maxHeader));
    const all = { ...headers, "content-length": Buffer.byteLength(body), connection: "close" };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  };

function failureOf(status: number, maxBytes: number): MusterError {
  if (status === 431)
    return new MusterError("too_large", `the headers are larger than ${maxBytes} bytes`, { maxBytes });
  if (status === 413) return new MusterError("too_large", "the parts of the body say too much beside it");
  const late = status === 408;
  return new MusterError("invalid_request", late ? "the request did not come in time" : "this is no request of HTTP");
}
