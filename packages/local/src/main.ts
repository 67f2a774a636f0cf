/** The embedded control plane as a process. One per home; it writes where it listens to `server.json`. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MusterError } from "@muster/core/error.ts";
import { KEPT_DAYS } from "@muster/core/log/sweep.ts";
import type { Log } from "@muster/core/ports/ports.ts";
import type { World } from "@muster/core/ports/world.ts";
import { grant } from "@muster/core/token/create.ts";
import { VERSION } from "@muster/core/version.ts";
import { LOCAL } from "@muster/core/workspace/workspace.ts";
import { entriesOf } from "@muster/node/outbound-allow.ts";
import { replaceFile } from "./file.ts";
import { openControlPlane } from "./run/control-plane.ts";
import { lock } from "./run/lock.ts";

const MOST_DAYS = 3650;

export interface ServeOptions {
  /** How to start an agent: a program and its first arguments. */
  readonly agent: readonly [string, ...string[]];
}

/**
 * `--home DIR [--port N]`. Runs until SIGTERM or SIGINT.
 * @returns the exit code: 0 also when another process already serves this home, 1 when it cannot be served.
 */
export async function main(args: readonly string[], options: ServeOptions): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { home: { type: "string" }, port: { type: "string" } } });
  if (values.home === undefined) throw new Error("--home is needed");
  try {
    return await serve(values.home, values.port, options);
  } catch (error) {
    // In one line, because whoever waits for this server shows the end of its log.
    if (!(error instanceof MusterError)) throw error;
    log.error(error.message, error.details);
    return 1;
  }
}

async function serve(home: string, wanted: string | undefined, options: ServeOptions): Promise<number> {
  const logDays = readLogDays(process.env.MUSTER_LOG_DAYS);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const held = lock(join(home, "lock"));
  if (held === undefined) return 0;
  const port = wanted === undefined ? lastPort(home) : Number(wanted);
  const plane = await openControlPlane({
    home,
    agent: options.agent,
    log,
    logDays,
    outboundAllow: entriesOf(process.env.MUSTER_OUTBOUND_ALLOW),
    ...(port !== undefined && { port }),
  });
  await writeToken(home, plane.world);
  await replaceFile(join(home, "port"), new URL(plane.url).port);
  const where = { url: plane.url, pid: process.pid, version: VERSION, startedAt: Date.now() };
  await replaceFile(join(home, "server.json"), JSON.stringify(where));
  log.info("listening", where);
  await asked();
  rmSync(join(home, "server.json"), { force: true });
  await plane.close();
  held.release();
  return 0;
}

/** @throws MusterError `invalid_request` for what is no number of days. */
function readLogDays(given: string | undefined): number {
  const days = given === undefined ? KEPT_DAYS : Number(given);
  if (Number.isInteger(days) && days >= 1 && days <= MOST_DAYS) return days;
  throw new MusterError(
    "invalid_request",
    `MUSTER_LOG_DAYS is a number of days from 1 to ${MOST_DAYS}, not '${given}'`,
  );
}

/** The port of the last time: agents that live on look for the control plane there. */
function lastPort(home: string): number | undefined {
  const path = join(home, "port");
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined;
}

/** The token of whoever owns this home. */
async function writeToken(home: string, world: World): Promise<void> {
  const path = join(home, "token");
  if (existsSync(path)) return;
  await replaceFile(path, (await grant(world, { workspace: LOCAL, actor: "usr_local", role: "admin" })).token);
}

/** Resolves when the process is asked to end. */
const asked = (): Promise<void> =>
  new Promise(resolve => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });

/** One line of JSON each, to whatever standard error leads to. */
const log: Log = {
  info: (message, fields) => line("info", message, fields),
  error: (message, fields) => line("error", message, fields),
};

const line = (level: string, message: string, fields: object = {}): void => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
};
