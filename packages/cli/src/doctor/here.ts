/** What can be looked at from here: the configuration, and the way to the control plane. */
import { existsSync } from "node:fs";
import { MusterError } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import * as Config from "../context/config.ts";
import { duration } from "../format.ts";
import { advice } from "../skew.ts";
import { bad, type Finding, failed, good } from "./finding.ts";

/** Whether what is remembered can be read, and by its owner alone. */
export function configuration(env: NodeJS.ProcessEnv): Finding {
  const name = "configuration";
  const path = Config.pathOf(env);
  try {
    const count = Object.keys(Config.read(path).contexts).length;
    if (!existsSync(path)) return good(name, `none at ${path}: nothing was logged in to`);
    if (Config.isExposed(path)) return bad(name, `others on this machine can read ${path}`, `chmod 600 ${path}`);
    return good(name, `${path}, ${count === 1 ? "1 context" : `${count} contexts`}, readable by you alone`);
  } catch (error) {
    return failed(name, error);
  }
}

/** What an answer said of the control plane. */
export interface Answer {
  readonly version: string;
  /** How far its clock is ahead of this machine's, in ms, within a second; undefined when it did not say. */
  readonly ahead: number | undefined;
  /** How long the answer took, in ms. */
  readonly took: number;
}

const PATIENCE_MS = 10_000;

/** Asks for the control plane's health. @throws MusterError `unavailable`, or `internal` for an answer that is not Muster's. */
export async function health(endpoint: string): Promise<Answer> {
  const begun = performance.now();
  const response = await reach(`${endpoint}/v1/health`);
  const took = performance.now() - begun;
  const date = Date.parse(response.headers.get("date") ?? "");
  const body: unknown = await response.json().catch(() => undefined);
  const version = Object(body).version;
  if (!response.ok || Object(body).ok !== true || typeof version !== "string")
    throw new MusterError("internal", `${endpoint} answered ${response.status}, and not as Muster does`, {
      hint: "check the endpoint: it is the control plane's base URL, without a path",
    });
  // The header has whole seconds, cut off: on average it lies half a second back, and the answer's way half of it all.
  const ahead = Number.isNaN(date) ? undefined : date + 500 - (Date.now() - took / 2);
  return { version, ahead, took };
}

async function reach(url: string): Promise<Response> {
  try {
    return await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message || String(Object(cause).code) : String(cause);
    throw new MusterError("unavailable", `cannot reach ${url}: ${why}`, {
      hint: "see that the control plane is deployed, that the endpoint is right, and that a proxy or VPN lets you through",
    });
  }
}

export const reached = (endpoint: string, { took }: Answer): Finding =>
  good("endpoint", `${endpoint} answers in ${Math.round(took)} ms`);

export function version({ version: theirs }: Answer): Finding {
  const fix = advice(VERSION, theirs);
  const both = theirs === VERSION ? `both ${theirs}` : `the control plane's is ${theirs}, this program's ${VERSION}`;
  return fix === undefined ? good("version", both) : bad("version", `${both}: too far apart`, fix);
}

/** AWS refuses signatures that are five minutes off; what is a minute off gets there. */
const MOST_SKEW_MS = 60_000;

export function clock({ ahead }: Answer): Finding {
  if (ahead === undefined) return good("clock", "the control plane does not say its time");
  const off = Math.abs(ahead);
  if (off <= MOST_SKEW_MS)
    return good("clock", `this machine's is within ${duration(Math.max(off, 1000))} of the control plane's`);
  const how = `this machine's is ${duration(off)} ${ahead > 0 ? "behind" : "ahead of"} the control plane's`;
  return bad("clock", how, "set it by the network: timedatectl set-ntp true");
}
