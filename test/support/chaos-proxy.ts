/**
 * A TCP proxy in front of a server on this machine, that does to connections what networks do: it delays, cuts after a while,
 * resets once the request has gone, cuts answers in their middle, and closes one half. Which of it, a seed says.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Rng } from "../simulation/rng.ts";

/** How often each is chosen, while there is harm at all. */
const FATES = { none: 2, late: 2, cut: 4, reset: 2, half: 2, torn: 2 } as const;
type Fate = keyof typeof FATES;

export interface ChaosProxy {
  readonly url: string;
  /** From now on, or no more. Connections that were left alone until now are cut. */
  harm(does: boolean): void;
  /** Connections that were cut, by how. */
  readonly cuts: Record<Exclude<Fate, "none" | "late">, number>;
  close(): Promise<void>;
}

/** @param target the server's URL; where answers name it they name the proxy instead, as far as the ports are equally long */
export async function chaosProxy(target: string, seed: number): Promise<ChaosProxy> {
  const rng = new Rng(seed);
  const upstream = new URL(target);
  const sockets = new Set<Socket>();
  let harms = false;
  const server = createServer({ allowHalfOpen: true }, client => {
    const far = connect({ port: Number(upstream.port), host: upstream.hostname, allowHalfOpen: true });
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      // Whoever is cut off says so; that is what this is for.
      socket.on("error", () => undefined);
    }
    const fate: Fate | undefined = harms ? rng.weighted(FATES) : undefined;
    pass(client, far, { rng, fate, proxy, rename: renaming(upstream.port, new URL(proxy.url).port) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: ChaosProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    harm: does => {
      harms = does;
      if (does) for (const socket of sockets) socket.destroy();
    },
    cuts: { cut: 0, reset: 0, half: 0, torn: 0 },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

interface Way {
  readonly rng: Rng;
  /** Absent: it is left alone. */
  readonly fate: Fate | undefined;
  readonly proxy: ChaosProxy;
  readonly rename: (part: Buffer) => Buffer;
}

function pass(client: Socket, far: Socket, { rng, fate, proxy, rename }: Way): void {
  const end = (how: keyof ChaosProxy["cuts"], finish: () => void): void => {
    if (client.destroyed) return;
    proxy.cuts[how]++;
    finish();
    far.destroy();
  };
  const lag = fate === "late" ? rng.int(60) : 0;
  let asked = 0;
  // The fate comes with this request of the connection: others before it are answered.
  const doomed = 1 + rng.int(2);
  client.on("data", part => {
    asked++;
    far.write(part);
  });
  let queue = Promise.resolve();
  far.on("data", (part: Buffer) => {
    const isDoomed = asked >= doomed;
    if (isDoomed && fate === "reset") return end("reset", () => client.resetAndDestroy());
    if (isDoomed && fate === "torn") {
      client.write(rename(part).subarray(0, rng.int(part.length)));
      return end("torn", () => client.destroySoon());
    }
    if (isDoomed && fate === "half") return end("half", () => client.end());
    queue = queue.then(() => (lag > 0 ? pause(lag) : undefined)).then(() => void client.write(rename(part)));
  });
  // None lives long: whoever keeps one that is well would never meet the others.
  const life = fate === "cut" ? rng.int(80) : 400;
  const timer = fate === undefined ? undefined : setTimeout(() => end("cut", () => client.destroy()), life);
  client.on("end", () => far.end());
  far.on("end", () => void queue.then(() => client.end()));
  client.on("close", () => {
    clearTimeout(timer);
    far.destroy();
  });
  far.on("close", () => void queue.then(() => client.destroy()));
}

/** Chunks of a log are to be read through the proxy, too; a port that is as long as another keeps all lengths. */
function renaming(from: string, to: string): (part: Buffer) => Buffer {
  if (from.length !== to.length) throw new Error(`port ${to} cannot stand for port ${from}`);
  return part => Buffer.from(part.toString("latin1").replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`), "latin1");
}
