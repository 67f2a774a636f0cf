/**
 * Hosts' tokens. Both kinds are made by a keyed hash, so nothing secret is stored: an enrollment token can be made again
 * from its intent, and a host token only from the nonce that the agent keeps.
 */
import type { Digest } from "../ports/ports.ts";

export interface Subject {
  readonly workspace: string;
  readonly hostId: string;
  readonly generation: number;
  readonly try: number;
}

export const enrollmentToken = (digest: Digest, of: Subject): string =>
  `mse_${of.workspace}.${of.hostId}.${of.generation}.${of.try}.${digest.mac("enrollment-token", subject(of))}`;

/** @returns whom the token speaks for; undefined when it is forged. */
export function readEnrollmentToken(digest: Digest, token: string): Subject | undefined {
  const match = /^mse_([a-z0-9-]{1,63})\.(hst_[0-9A-Z_]{1,40})\.(\d{1,9})\.(\d{1,9})\.[0-9a-f]{64}$/.exec(token);
  if (match === null) return undefined;
  const of = { workspace: match[1] ?? "", hostId: match[2] ?? "", generation: Number(match[3]), try: Number(match[4]) };
  return digest.same(token, enrollmentToken(digest, of)) ? of : undefined;
}

/** The bearer token of a host whose agent chose this nonce. */
export const hostToken = (digest: Digest, of: Subject, nonce: string): string =>
  `msh_${of.workspace}.${of.hostId}.${digest.mac("host-token", `${subject(of)} ${nonce}`)}`;

/** @returns which host the token claims to be of; its hash must still be compared with the host's. */
export function readHostToken(token: string): { readonly workspace: string; readonly hostId: string } | undefined {
  const match = /^msh_([a-z0-9-]{1,63})\.(hst_[0-9A-Z_]{1,40})\.[0-9a-f]{64}$/.exec(token);
  return match ? { workspace: match[1] ?? "", hostId: match[2] ?? "" } : undefined;
}

const subject = (of: Subject): string => `${of.workspace} ${of.hostId} ${of.generation} ${of.try}`;
