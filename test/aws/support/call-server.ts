/** A plain HTTP server of a test: it keeps what it was asked, and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";

export interface Asked {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Which connection it came by, from 1. */
  readonly connection: number;
}

export interface CallServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Number of connections so far. */
  readonly connections: () => number;
  /** From now on. */
  answer(how: Answering): void;
  forget(): void;
  close(): Promise<void>;
}

type Answerer = Pick<ServerResponse, "writeHead" | "write" | "end" | "destroy">;
export type Answering = (asked: Asked, response: Answerer, socket: Socket) => void;

export const say =
  (status: number, body: string | object = "{}", headers: Record<string, string> = {}): Answering =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

/** Each answer once, the last one for ever. */
export const inTurn = (...answers: readonly Answering[]): Answering => {
  const left = [...answers];
  return (...given) => (left.length > 1 ? left.shift() : left[0])?.(...given);
};

/** The connection ends without an answer. */
export const reset: Answering = (_, __, socket) => {
  socket.resetAndDestroy();
};

/** Nothing is ever answered. */
export const silence: Answering = () => {};

export async function startCallServer(): Promise<CallServer> {
  const asked: Asked[] = [];
  const sockets = new Map<Socket, number>();
  const state: { answer: Answering; connections: number } = { answer: say(200), connections: 0 };
  // Its real date would move the clocks of those who ask: a test that wants one gives it.
  const server = createServer(async (request, response) => {
    response.sendDate = false;
    const body = await text(request);
    const { method = "", url = "", headers, socket } = request;
    const one = { method, url, headers, body, connection: sockets.get(socket) ?? 0 };
    asked.push(one);
    state.answer(one, response, socket);
  });
  server.keepAliveTimeout = 0;
  server.on("connection", socket => {
    state.connections += 1;
    sockets.set(socket, state.connections);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    connections: () => state.connections,
    answer: how => {
      state.answer = how;
    },
    forget: () => {
      asked.length = 0;
    },
    close: async () => {
      for (const socket of sockets.keys()) socket.destroy();
      await new Promise(done => server.close(done));
    },
  };
}
