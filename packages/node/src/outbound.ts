/**
 * The port Outbound: calls to addresses that users name, and to none that is near. A name is resolved once, all that it
 * resolves to is judged, and the connection goes to what was judged: whoever owns the name cannot answer otherwise a moment
 * later. Redirects are answers.
 */
import { lookup as resolve } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { MusterError } from "@muster/core/error.ts";
import type { Outbound, OutboundAnswer, OutboundRequest } from "@muster/core/ports/outbound.ts";
import { type Allowed, allowedOf } from "./outbound-allow.ts";
import { type Destination, destinationOf, requireAddress } from "./outbound-url.ts";

export interface Resolved {
  readonly address: string;
  readonly family: number;
}

export interface OutboundOptions {
  /** Hosts and networks that may be reached beside what is open to everybody. @see allowedOf */
  readonly allow?: readonly string[];
  /** Every address of a name; the machine's own resolver when absent. */
  readonly lookup?: (host: string) => Promise<readonly Resolved[]>;
}

/** @throws MusterError `invalid_request` for a list that is not one. */
export function createOutbound({ allow = [], lookup = resolveAll }: OutboundOptions = {}): Outbound {
  const allowed = allowedOf(allow);
  return {
    check: url => void destinationOf(url, allowed),
    send: async asked => {
      const destination = destinationOf(asked.url, allowed);
      const deadline = timer(asked.timeout);
      try {
        const addresses = await Promise.race([addressesOf(destination, allowed, lookup), deadline.over]);
        return await exchange(asked, destination, addresses, deadline.over);
      } catch (error) {
        throw error instanceof MusterError ? error : noAnswer(destination, error);
      } finally {
        deadline.stop();
      }
    },
  };
}

const resolveAll = (host: string): Promise<Resolved[]> => resolve(host, { all: true, order: "verbatim" });

/** One for the whole of it. */
function timer(timeout: number): { readonly over: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const running = setTimeout(() => reject(new Error(`no answer within ${timeout / 1000} s`)), timeout);
  return { over: promise, stop: () => clearTimeout(running) };
}

/** @throws MusterError `invalid_request` when any of them is not to be reached, or there is none. */
async function addressesOf(
  destination: Destination,
  allowed: Allowed,
  lookup: NonNullable<OutboundOptions["lookup"]>,
): Promise<readonly Resolved[]> {
  const { host } = destination;
  const family = isIP(host);
  // Judged already, by its text.
  if (family !== 0) return [{ address: host, family }];
  const found = await lookup(host);
  if (found.length === 0) throw new Error("its name has no address");
  for (const { address } of found) requireAddress(destination, address, allowed);
  return found.map(({ address }) => ({ address, family: isIP(address) }));
}

/** Whatever is asked for, these are the answers. */
const pinned = (addresses: readonly Resolved[]): LookupFunction => {
  const [first] = addresses;
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
};

async function exchange(
  asked: OutboundRequest,
  { url }: Destination,
  addresses: readonly Resolved[],
  over: Promise<never>,
): Promise<OutboundAnswer> {
  const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
    method: asked.method,
    headers: headersOf(asked),
    lookup: pinned(addresses),
    // A connection of its own: none is left open towards whoever was called once, and no proxy stands between.
    agent: false,
  });
  try {
    const answered = new Promise<IncomingMessage>((answer, fail) => {
      request.once("response", answer);
      request.once("error", fail);
    });
    request.end(asked.body);
    const response = await Promise.race([answered, over]);
    return await read(response, asked.maxBytes, over);
  } finally {
    // What comes after its answer is nobody's.
    request.on("error", () => undefined);
    request.destroy();
  }
}

function headersOf({ headers, body }: OutboundRequest): Record<string, string> {
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return { "user-agent": "Muster", "accept-encoding": "identity", ...headers, ...length, connection: "close" };
}

/** The status is the answer: a body that breaks off, takes too long or is too long does not undo it. */
async function read(response: IncomingMessage, maxBytes: number, over: Promise<never>): Promise<OutboundAnswer> {
  const chunks: Buffer[] = [];
  let room = maxBytes;
  const all = (async () => {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, room));
      room -= chunk.length;
      if (room < 0) return false;
    }
    return response.complete;
  })();
  const isWhole = await Promise.race([all, over]).catch(() => false);
  // It ends when the connection does, and has nobody left to tell.
  all.catch(() => undefined);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : (value ?? ""),
      ]),
    ),
    body: Buffer.concat(chunks).toString("utf8"),
    ...(!isWhole && { isCut: true }),
  };
}

function noAnswer({ host }: Destination, error: unknown): MusterError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new MusterError("unavailable", `${host} did not answer: ${code ?? message}`, {}, error);
}
