/** The whole control plane in one process: the same handlers and reconcilers as on AWS, over the ports of this machine. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher, type Handler } from "@muster/api/serve.ts";
import { MusterError } from "@muster/core/error.ts";
import { moved } from "@muster/core/host/heard.ts";
import { KEPT_DAYS } from "@muster/core/log/sweep.ts";
import type { Log } from "@muster/core/ports/ports.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { Whole, World } from "@muster/core/ports/world.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createIssuers } from "@muster/node/issuers.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { createRandom } from "@muster/node/random.ts";
import { signer } from "@muster/node/signer.ts";
import { handlers } from "../../../../functions/handlers.ts";
import { taskFiles } from "../../../../functions/task-files.ts";
import { openBlobs } from "../blobs/blobs.ts";
import { handleBlobRequest } from "../blobs/http.ts";
import { type Listening, listen } from "../http/listen.ts";
import { type LocalProvider, localProvider } from "../provider/provider.ts";
import { openSecrets } from "../secrets/secrets.ts";
import { openTable, type TableOptions } from "../table/table.ts";
import { Doorbell } from "./doorbell.ts";
import { isNews, Outbox } from "./outbox.ts";
import { timers } from "./timers.ts";

export interface ControlPlaneOptions {
  /** Folder of all data. */
  readonly home: string;
  /** How to start an agent: a program and its first arguments. */
  readonly agent: readonly [string, ...string[]];
  readonly log: Log;
  /** Port to listen on; any free one when absent or taken. */
  readonly port?: number;
  /** How long logs of jobs are kept, in days. */
  readonly logDays?: number;
  /** Hosts and networks that may be called beside what is open to everybody. */
  readonly outboundAllow?: readonly string[];
  /** Makes the table behave as badly as a distant one may. */
  readonly faults?: Pick<TableOptions, "indexLag" | "refuse">;
}

export interface ControlPlane {
  readonly url: string;
  readonly world: Whole;
  /** Answers one request, as a gateway would hand it over. */
  readonly dispatch: Handler;
  close(): Promise<void>;
}

/** How often agents that should live are looked for, in ms. */
const TEND = 1_000;

export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const digest = createDigest(deploymentKey(options.home));
  const clock = { now: Date.now };
  const place: { world?: Whole; url: string } = { url: "" };
  const theWorld = (): Whole => {
    if (place.world === undefined) throw new Error("the world is not there yet");
    return place.world;
  };
  const bell = new Doorbell(theWorld);
  const due = timers(theWorld, options.logDays ?? KEPT_DAYS);
  const outbox = new Outbox(theWorld, () => table);
  const onCommit = (changes: readonly Change[]) => {
    bell.ring(changes);
    due.note(changes);
    outbox.note(changes);
  };
  const table = openTable({
    path: join(options.home, "table.db"),
    digest,
    onCommit,
    isNews,
    log: options.log,
    ...options.faults,
  });
  const { blobs, edge } = openBlobs({ folder: join(options.home, "blobs"), base: () => place.url, digest, clock });
  const local = localProvider({
    folder: join(options.home, "machines"),
    images: join(options.home, "images"),
    agent: options.agent,
    endpoint: () => place.url,
    clock,
    log: options.log,
  });
  const workflow = { start: async () => false };
  const outbound = createOutbound({ allow: options.outboundAllow ?? [] });
  const world: Whole = {
    table,
    blobs,
    workflow,
    providers: new Map([["local", local]]),
    secrets: openSecrets(join(options.home, "secrets")),
    clock,
    random: createRandom(clock),
    digest,
    log: options.log,
    outbound,
    signer,
    issuers: createIssuers({ outbound, clock }),
    taskFiles,
  };
  place.world = world;

  const dispatch = dispatcher(doorOf(world), routes, handlers(world));
  const serve = (port: number | undefined) =>
    listen({
      dispatch,
      blobs: request => handleBlobRequest(edge, request),
      log: options.log,
      ...(port !== undefined && { port }),
    });
  const server = await serve(options.port).catch(async (error: unknown) => {
    // Taken by somebody else meanwhile: agents that look for the old port are told the new one when they are tended.
    if (options.port === undefined || !(error instanceof MusterError && error.code === "conflict")) throw error;
    return serve(undefined);
  });
  place.url = server.url;
  due.start();
  outbox.start();
  const tending = tend(local, world);
  return { url: server.url, world, dispatch, close: () => close(server, tending, [due, bell, outbox], table) };
}

async function close(
  server: Listening,
  tending: { stop(): Promise<void> },
  working: readonly { close(): Promise<void> }[],
  table: { close(): void },
): Promise<void> {
  await server.close();
  await tending.stop();
  for (const one of working) await one.close();
  table.close();
}

/** Looks after the agents, one round at a time; and after what ran on machines that are gone, as a cloud's event would. */
function tend(local: LocalProvider, world: World): { stop(): Promise<void> } {
  let round = Promise.resolve();
  const look = async (): Promise<void> => {
    for (const machineId of await local.tend()) await moved(world, machineId);
  };
  const timer = setInterval(() => {
    round = round
      .then(look)
      .catch(error => world.log.error("agents could not be looked after", { reason: String(error) }));
  }, TEND);
  return {
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  };
}

/** The key of this deployment's hashes and signatures: made once, readable by this user alone. */
function deploymentKey(home: string): Buffer {
  const path = join(home, "key");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(path);
}
