/** How far this program and a control plane are apart. One minor version either way works; more is worth a word. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { client } from "@muster/api/client.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Output } from "./output.ts";

/** How long an answer is believed, so that not every command asks. */
const FRESH_MS = 600_000;
const PATIENCE_MS = 2000;

/** What to do when they are too far apart; undefined when they are not, or when nobody can say. */
export function advice(own: string, theirs: string): string | undefined {
  const [a, b] = [own, theirs].map(numbers);
  if (a === undefined || b === undefined) return undefined;
  const distance = a.major === b.major ? a.minor - b.minor : (a.major - b.major) * Number.POSITIVE_INFINITY;
  if (Math.abs(distance) <= 1) return undefined;
  return distance < 0
    ? "install a newer muster on this machine"
    : "have the control plane deployed anew, or use a muster of its version";
}

/** Warns on stderr when the control plane at the endpoint is too far from this program. Never fails. */
export async function skew(out: Output, env: NodeJS.ProcessEnv, endpoint: string): Promise<void> {
  const path = cacheOf(env);
  const theirs = remembered(path, endpoint) ?? (await ask(path, endpoint));
  const what = theirs === undefined ? undefined : advice(VERSION, theirs);
  if (what !== undefined)
    out.warn(`${out.style("yellow", "warning:")} ${endpoint} has version ${theirs}, this is ${VERSION}: ${what}`);
}

async function ask(path: string, endpoint: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { version } = await client({ endpoint, version: VERSION }).health.get({}, { signal });
    remember(path, endpoint, version);
    return version;
  } catch {
    // The command's own call tells what is wrong, when it matters.
    return undefined;
  }
}

interface Seen {
  readonly version: string;
  /** Epoch ms. */
  readonly at: number;
}

function cacheOf(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), ".cache"), "muster", "versions.json");
}

function remembered(path: string, endpoint: string): string | undefined {
  const seen = load(path)[endpoint];
  const age = Date.now() - (seen?.at ?? 0);
  return typeof seen?.version === "string" && age >= 0 && age < FRESH_MS ? seen.version : undefined;
}

function remember(path: string, endpoint: string, version: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, JSON.stringify({ ...load(path), [endpoint]: { version, at: Date.now() } }));
  } catch {
    // A home that cannot be written costs a request a command, no more.
  }
}

function load(path: string): Readonly<Record<string, Seen | undefined>> {
  try {
    return Object(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Not there yet, or just being written by another command.
    return {};
  }
}

function numbers(version: string): { major: number; minor: number } | undefined {
  const match = /^(\d+)\.(\d+)/.exec(version);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}
