/** A local server on loopback, with a handler that keeps its events, and a raw socket to it. */
import { connect } from "node:net";
import type { HttpEvent } from "@muster/api/http.ts";
import { type ListenOptions, listen } from "@muster/local/http/listen.ts";
import { onTestFinished } from "vitest";

export async function open(options: Partial<ListenOptions> = {}) {
  const events: HttpEvent[] = [];
  const logged: string[] = [];
  const server = await listen({
    dispatch: async event => {
      events.push(event);
      return { statusCode: 200, headers: { "content-type": "application/json", "x-own": "1" }, body: '{"grün":1}' };
    },
    blobs: async () => new Response("blob"),
    log: { error: message => void logged.push(message) },
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, port: Number(new URL(server.url).port), events, logged };
}

/** Bytes to the server, and all it says until it hangs up or has said enough. */
export async function raw(port: number, bytes: string, until: RegExp | "close" = "close"): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  let heard = "";
  const done = new Promise<void>(resolve => {
    socket.on("data", chunk => {
      heard += chunk;
      if (until !== "close" && until.test(heard)) resolve();
    });
    socket.on("close", () => resolve());
  });
  socket.write(bytes);
  await done;
  return heard;
}
export const get = (path: string, headers = "Host: 127.0.0.1\r\n") =>
  `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
export const jsonIn = (heard: string) => JSON.parse(heard.slice(heard.indexOf("\r\n\r\n") + 4));
