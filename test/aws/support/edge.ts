/**
 * The edge: one loopback endpoint in front of moto that stands for all of AWS.
 *
 * It runs Lambda functions in this process, answers what moto cannot (`gaps`), injects faults on the wire, and keeps a
 * log of every call. What it answers itself is ours and proves nothing about AWS. A call that moto does not implement
 * fails loudly: HTTP 501, and a line in `unimplemented`.
 */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { createClientTokens, type Layer } from "./client-tokens.ts";
import { AwsError, errorReply, type Reply } from "./edge-errors.ts";
import { createForward, invoke, type Lambda, readBody } from "./edge-forward.ts";
import { type Call, formOf, identify, type Request } from "./edge-identify.ts";
import { createFaults, type Fault, refusalOf } from "./faults.ts";
import type { Moto } from "./moto.ts";

export { AwsError } from "./edge-errors.ts";
export type { Lambda } from "./edge-forward.ts";
export type { Fault } from "./faults.ts";

/**
 * Answers an operation in moto's place: an object as JSON, a text as XML, or `next()`, which is moto's own answer.
 * @param input the JSON body, or the form's fields. Throws AwsError to refuse.
 */
export type Gap = (input: Readonly<Record<string, unknown>>, next: () => Promise<Reply>) => Promise<unknown> | unknown;

export interface EdgeOptions {
  readonly moto: Pick<Moto, "url" | "callOutTo">;
  /** By name of the function. When given, moto's state machines call this edge. */
  readonly lambdas?: Readonly<Record<string, Lambda>>;
  /** By `service.Operation`. */
  readonly gaps?: Readonly<Record<string, Gap>>;
  /** Remember client tokens, which moto does not: see client-tokens.ts. */
  readonly clientTokens?: boolean;
}

export interface Logged {
  readonly service: string;
  readonly operation: string;
  /** What the edge or moto answered, also when the answer was lost on its way; 0 when the call was never applied. */
  readonly status: number;
  readonly fault?: Fault["kind"];
  readonly body: string;
}

export interface Edge {
  /** The endpoint of every service. */
  readonly url: string;
  /** Faults hit in the order of injection; each call is hit by one at most. */
  inject(...faults: readonly Fault[]): void;
  /** Forgets faults, log and `unimplemented`. */
  clear(): void;
  readonly log: readonly Logged[];
  /** What was called although moto does not have it, as `service.Operation`. */
  readonly unimplemented: readonly string[];
  close(): Promise<void>;
}

export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const faults = createFaults();
  const log: Logged[] = [];
  const unimplemented: string[] = [];
  const { forward, close: closeForward } = createForward(options.moto.url);
  const layer = options.clientTokens ? createClientTokens() : undefined;

  /** What AWS would do: applies the call. */
  async function apply(call: Call, request: Request): Promise<Reply> {
    const name = `${call.service}.${call.operation}`;
    if (call.operation === "Invoke" && options.lambdas) return invoke(options.lambdas, request);
    const gap = options.gaps?.[name];
    const passed = () => passOn(layer, call, request, () => forward(request));
    const reply = gap === undefined ? await passed() : replyOf(await gap(inputOf(call, request), passed));
    if (!isHtmlError(reply)) return reply;
    unimplemented.push(name);
    const said = reply.body
      .toString()
      .replaceAll(/<[^>]*>|\s+/g, " ")
      .trim();
    throw new AwsError("NotImplemented", `moto does not have ${name}: ${said.slice(0, 300)}`, 501);
  }

  const applied = (call: Call, request: Request): Promise<Reply> =>
    apply(call, request).catch((error: unknown) => errorReply(call, toAwsError(error)));

  /** @returns the answer that leaves; undefined when none does. */
  async function answerOf(call: Call, request: Request, fault: Fault | undefined): Promise<Sent | undefined> {
    const note = (status: number) => {
      const { service, operation } = call;
      log.push({ service, operation, status, ...(fault && { fault: fault.kind }), body: request.body.toString() });
    };
    const refusal = refusalOf(fault, call);
    if (refusal !== undefined || fault?.kind === "reset" || fault?.kind === "timeout") {
      note(refusal?.status ?? 0);
      return refusal && { reply: errorReply(call, refusal), half: false };
    }
    if (fault?.kind === "delay") await setTimeout(fault.ms);
    const reply = await applied(call, request);
    if (fault?.kind === "duplicate") await applied(call, request);
    note(reply.status);
    return fault?.kind.endsWith("-after-apply") ? undefined : { reply, half: fault?.kind === "truncate" };
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readBody(incoming);
    const call = identify(request);
    const fault = faults.take(call, request.body.toString());
    const answer = await answerOf(call, request, fault);
    if (answer !== undefined) return send(response, answer);
    // The others stay open and silent.
    if (fault?.kind.startsWith("reset")) incoming.socket.resetAndDestroy();
  }

  const server = createServer((incoming, response) => {
    // A client that went away in the middle: there is nobody to answer.
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  if (options.lambdas !== undefined) await options.moto.callOutTo(port);
  return {
    url: `http://127.0.0.1:${port}`,
    inject: (...more) => faults.add(more),
    clear() {
      faults.clear();
      log.length = 0;
      unimplemented.length = 0;
    },
    log,
    unimplemented,
    async close() {
      closeForward();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const passOn = (layer: Layer | undefined, call: Call, request: Request, forward: () => Promise<Reply>) =>
  layer === undefined ? forward() : layer(call, request, forward);

function inputOf({ protocol }: Call, request: Request): Record<string, unknown> {
  if (protocol === "json") return JSON.parse(request.body.toString() || "{}");
  return Object.fromEntries([...new URL(request.url, "http://edge").searchParams, ...formOf(request)]);
}

function replyOf(answer: unknown): Reply {
  if (isReply(answer)) return answer;
  if (typeof answer === "string")
    return { status: 200, headers: { "content-type": "text/xml" }, body: Buffer.from(answer) };
  const body = Buffer.from(JSON.stringify(answer ?? {}));
  return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body };
}

const isReply = (answer: unknown): answer is Reply =>
  typeof answer === "object" && answer !== null && "body" in answer && Buffer.isBuffer(answer.body);

/** How moto says that it does not have something. */
const isHtmlError = ({ status, body }: Reply): boolean =>
  status >= 400 && /^<!doctype html/i.test(body.subarray(0, 15).toString());

function toAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  return new AwsError("EdgeFailure", `the edge failed: ${error instanceof Error ? error.stack : error}`, 501);
}

interface Sent {
  readonly reply: Reply;
  /** The connection breaks in the middle of the body. */
  readonly half: boolean;
}

function send(response: ServerResponse, { reply, half }: Sent): void {
  response.writeHead(reply.status, headersOf(reply));
  if (half) response.write(reply.body.subarray(0, reply.body.length / 2), () => response.destroy());
  else response.end(reply.body);
}

function headersOf({ headers, body }: Reply): OutgoingHttpHeaders {
  const { connection, "transfer-encoding": encoding, ...rest } = headers;
  // A HEAD names the length of a body that it does not carry.
  return { ...rest, "content-length": body.length > 0 ? body.length : (headers["content-length"] ?? 0) };
}
