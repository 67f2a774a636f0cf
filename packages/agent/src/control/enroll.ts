/** Enrollment: the one-time token and a nonce of the agent's own become the host's token. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { flushFolder, messageOf, readJson, readText, writeWhole } from "../disk.ts";
import type { Home } from "../home.ts";
import type { Journal } from "../journal.ts";
import type { Enrolled, Facts } from "../types.ts";
import { backoff, sleep } from "../wait.ts";
import { type Control, Refusal } from "./call.ts";

/** No call will ever succeed: the token is used, unknown or too old. */
export class Refused extends Error {}

export interface Enrollment {
  readonly home: Home;
  readonly control: Control;
  readonly journal: Journal;
  readonly tokenFile: string | undefined;
  readonly facts: () => Facts;
}

/** The host's identity: the one on disk, or the one that the control plane answers with, however long that takes. */
export async function enroll(enrollment: Enrollment, quit: AbortSignal): Promise<Enrolled> {
  const known = readJson<Enrolled>(enrollment.home.hostToken);
  if (known !== undefined) return known;
  const { tokenFile } = enrollment;
  if (tokenFile === undefined || !existsSync(tokenFile)) throw new Refused("this host has no enrollment token");
  const token = readFileSync(tokenFile, "utf8").trim();
  const enrolled = await ask(enrollment, token, nonceOf(enrollment.home), quit);
  writeWhole(enrollment.home.hostToken, JSON.stringify({ hostId: enrolled.hostId, hostToken: enrolled.hostToken }));
  flushFolder(enrollment.home.agent);
  enrollment.journal.note("enrolled", { hostId: enrolled.hostId });
  return enrolled;
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

async function ask(enrollment: Enrollment, token: string, nonce: string, quit: AbortSignal): Promise<Enrolled> {
  for (let failures = 0; ; failures++) {
    quit.throwIfAborted();
    try {
      return await enrollment.control.enroll({ token, nonce, facts: enrollment.facts() });
    } catch (error) {
      if (isFinal(error)) throw new Refused(`the control plane refused to enroll this host (${messageOf(error)})`);
      enrollment.journal.warn("enrollment not answered", { error: messageOf(error), failures });
    }
    await sleep(backoff(failures), quit);
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof Refusal && error.code !== undefined && [400, 401, 403, 409].includes(error.status);
