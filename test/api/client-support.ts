/** A node:http server that answers as a test tells it, and a client before it whose pauses are recorded, not waited for. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ClientOptions, client } from "@muster/api/client.ts";
import type { MusterError } from "@muster/core/error.ts";
import { onTestFinished } from "vitest";

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
export type Script = (request: Request, response: ServerResponse, round: number) => void;

export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Script =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
export const failure = (code: string, status: number, headers = {}) =>
  json(status, { code, message: `it is ${code}`, details: { hint: "h" } }, headers);

export async function against(script: Script, options: Partial<ClientOptions> = {}) {
  const requests: Request[] = [];
  const pauses: number[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    script(request, response, requests.length);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wait = async (ms: number) => void pauses.push(ms);
  const c = client({ endpoint, token: "t0ken", version: "1.2.3", wait, ...options });
  return { c, requests, pauses, endpoint, server };
}

export const thrown = (promise: Promise<unknown>): Promise<MusterError> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    error => error,
  );
