/** How a machine says who it is: with the token that it was given, or by its own identity. */
import { messageOf } from "../disk.ts";
import type { Peers } from "../gang/peers.ts";
import { facts } from "../host/facts.ts";
import { hasSessionAgent } from "../host/machine.ts";
import type { Metadata } from "../host/metadata.ts";
import type { Journal } from "../journal.ts";
import { backoff, sleep } from "../wait.ts";
import type { Control } from "./call.ts";
import { type Introduction, readToken } from "./enroll.ts";
import { Registration } from "./register.ts";

export interface Identity {
  readonly tokenFile: string | undefined;
  /** Of a machine that registers as itself, without a token. */
  readonly metadata: Metadata | undefined;
  /** How long its registration waits for the cloud's session agent, in ms. */
  readonly sessionAgentWithin: number;
  readonly address: string | undefined;
}

/** How often a machine that has an identity asks whether it is its own. */
const METADATA_TRIES = 4;

export function introduce(identity: Identity, control: Control, peers: Peers, gpus: readonly string[]): Introduction {
  const { metadata, tokenFile, address, sessionAgentWithin } = identity;
  if (metadata !== undefined) {
    const registration = new Registration({ control, metadata, sessionAgentWithin, hasSessionAgent });
    return async nonce => registration.send(nonce, facts(gpus, address, await peers.key()));
  }
  const token = readToken(tokenFile);
  return async nonce => control.enroll({ token, nonce, facts: facts(gpus, address, await peers.key()) });
}

/** A metadata service that does not answer keeps no host from its work. */
export async function machineId(
  { metadata }: Identity,
  journal: Journal,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let failures = 0; metadata !== undefined && failures < METADATA_TRIES; failures++) {
    try {
      return await metadata.get("instance-id");
    } catch (error) {
      journal.warn("the machine's id is not known", { error: messageOf(error), failures });
    }
    await sleep(backoff(failures), signal);
  }
  return undefined;
}
