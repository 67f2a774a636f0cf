/** Enrollment: a one-time token, or the machine's own identity, and a nonce of the agent's become the host's token. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { flushFolder, messageOf, readJson, readText, writeWhole } from "../disk.ts";
import type { Home } from "../home.ts";
import type { Journal } from "../journal.ts";
import type { Enrolled } from "../types.ts";
import { backoff, sleep } from "../wait.ts";
import { Refusal } from "./call.ts";

/** No call will ever succeed: the token is used, unknown or too old. */
export class Refused extends Error {}

export interface Enrollment {
  readonly home: Home;
  readonly journal: Journal;
  /** How this host says which one it is. Throws Refused when it has nothing to say it with. */
  readonly introduce: () => Introduction;
  /** The cloud's own name for this machine; undefined where no cloud tells, or does not tell just now. */
  readonly machineId: () => Promise<string | undefined>;
}

/** What the control plane answered, and which machine it was answered to. */
export type Identity = Enrolled & { readonly machineId?: string };

/** One call; it may be sent again. */
export type Introduction = (nonce: string) => Promise<Identity>;

/** The host's identity: the one on disk, or the one that the control plane answers with, however long that takes. */
export async function enroll(enrollment: Enrollment, quit: AbortSignal): Promise<Identity> {
  const { home, journal } = enrollment;
  const known = readJson<Identity>(home.hostToken);
  if (known !== undefined && !(await isAnothers(enrollment, known))) return known;
  if (known !== undefined) forget(enrollment);
  const { hostId, hostToken, machineId }: Identity = await ask(enrollment, enrollment.introduce(), nonceOf(home), quit);
  writeWhole(home.hostToken, JSON.stringify({ hostId, hostToken, machineId }));
  flushFolder(home.agent);
  journal.note("enrolled", { hostId });
  return { hostId, hostToken };
}

/** A disk that was copied brings the identity of the machine that it was copied from. */
async function isAnothers({ machineId }: Enrollment, known: Identity): Promise<boolean> {
  if (known.machineId === undefined) return false;
  const now = await machineId();
  return now !== undefined && now !== known.machineId;
}

function forget({ home, journal }: Enrollment): void {
  journal.note("this disk was another machine's", { agent: home.agent });
  rmSync(home.hostToken, { force: true });
  rmSync(home.nonce, { force: true });
  flushFolder(home.agent);
}

/** Throws Refused when there is no token. */
export function readToken(file: string | undefined): string {
  if (file === undefined || !existsSync(file)) throw new Refused("this host has no enrollment token");
  return readFileSync(file, "utf8").trim();
}

/** On disk before it is first sent: an agent that dies before the answer asks again as the same one. */
function nonceOf(home: Home): string {
  const known = readText(home.nonce)?.trim();
  if (known !== undefined && /^[0-9a-f]{64}$/.test(known)) return known;
  const nonce = randomBytes(32).toString("hex");
  writeWhole(home.nonce, nonce);
  flushFolder(home.agent);
  return nonce;
}

async function ask(enrollment: Enrollment, call: Introduction, nonce: string, quit: AbortSignal): Promise<Identity> {
  for (let failures = 0; ; failures++) {
    quit.throwIfAborted();
    try {
      return await call(nonce);
    } catch (error) {
      if (isFinal(error)) throw new Refused(`the control plane refused to enroll this host (${messageOf(error)})`);
      enrollment.journal.warn("enrollment not answered", { error: messageOf(error), failures });
    }
    await sleep(backoff(failures), quit);
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof Refusal && error.code !== undefined && [400, 401, 403, 409].includes(error.status);
