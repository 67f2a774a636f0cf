/** How the edge has a call applied: by moto, or by a function of this process. */
import http from "node:http";
import { AwsError, type Reply } from "./edge-errors.ts";
import { functionOf, type Request } from "./edge-identify.ts";

export type Lambda = (event: unknown) => Promise<unknown> | unknown;

export async function readBody(incoming: http.IncomingMessage): Promise<Request> {
  const body = await collect(incoming);
  return { method: incoming.method ?? "GET", url: incoming.url ?? "/", headers: incoming.headers, body };
}

async function collect(stream: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function createForward(upstream: string): { forward(request: Request): Promise<Reply>; close(): void } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const { hostname, port } = new URL(upstream);
  const forward = ({ method, url, headers, body }: Request) =>
    new Promise<Reply>((resolve, reject) => {
      const { "transfer-encoding": encoding, connection, expect, ...kept } = headers;
      const path = { hostname, port, method, path: url, agent };
      const request = http.request({ ...path, headers: { ...kept, "content-length": body.length } }, response => {
        collect(response).then(answer => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer });
        }, reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  return { forward, close: () => agent.destroy() };
}

/** As Lambda invokes: what the function throws is an answer too, marked by a header. */
export async function invoke(lambdas: Readonly<Record<string, Lambda>>, request: Request): Promise<Reply> {
  const name = functionOf(request.url) ?? "";
  const lambda = lambdas[name];
  if (lambda === undefined) throw new AwsError("ResourceNotFoundException", `Function not found: ${name}`, 404);
  const { payload, failed } = await run(lambda, JSON.parse(request.body.toString() || "{}"));
  const asynchronous = request.headers["x-amz-invocation-type"] === "Event";
  return {
    status: asynchronous ? 202 : 200,
    headers: {
      "content-type": "application/json",
      "x-amz-executed-version": "$LATEST",
      ...(failed && !asynchronous && { "x-amz-function-error": "Unhandled" }),
    },
    body: Buffer.from(asynchronous ? "" : JSON.stringify(payload ?? null)),
  };
}

async function run(lambda: Lambda, event: unknown): Promise<{ payload: unknown; failed: boolean }> {
  try {
    return { payload: await lambda(event), failed: false };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { payload: { errorType: name, errorMessage: message, trace: [] }, failed: true };
  }
}
