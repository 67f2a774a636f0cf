/** A server on the loopback that answers as a test likes, and notes what it heard. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  readonly heard: Heard[];
  /** How it answers from now on. It may never. */
  answer: (response: ServerResponse, heard: Heard) => unknown;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, host: headers.host ?? "", headers, body: Buffer.concat(chunks).toString() };
    heard.push(one);
    receiver.answer(response, one);
  });
  await new Promise<void>(listening => server.listen(0, "127.0.0.1", listening));
  const receiver: Receiver = {
    port: (server.address() as AddressInfo).port,
    heard,
    answer: response => response.end("ok"),
    close: () => {
      server.closeAllConnections();
      return new Promise(closed => server.close(() => closed()));
    },
  };
  return receiver;
}
