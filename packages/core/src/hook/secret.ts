/** Secrets of hooks: none is stored, each follows from the deployment's key. */
import type { Digest } from "../ports/ports.ts";
import type { Hook, Secret } from "./hook.ts";

type Part = Pick<Digest, "mac">;
type Ref = Pick<Hook, "workspace" | "id" | "generation">;

/** How long the secret before is good after a rotation, in ms. */
export const OVERLAP = 24 * 3_600_000;

/** 64 hex digits. */
const textOf = (digest: Part, { workspace, id, generation }: Ref): string =>
  digest.mac("hook-secret", `${workspace} ${id} ${generation}`);

/** What its sender is given now. */
export function secretOf(digest: Part, hook: Ref): Secret {
  const text = textOf(digest, hook);
  return { text, standard: `whsec_${base64(bytesOf(text))}` };
}

export interface Key {
  /** As people paste it, and as GitHub takes its bytes for the key. */
  readonly text: string;
  /** The 32 bytes that Standard Webhooks takes. */
  readonly bytes: Uint8Array;
}

/** The keys that are good now: its own, and the one before until that has run out. @param now epoch ms */
export function keysOf(digest: Part, hook: Ref & Pick<Hook, "previousUntil">, now: number): Key[] {
  const before = hook.generation - 1;
  const generations = [hook.generation, ...((hook.previousUntil ?? 0) > now ? [before] : [])];
  return generations.map(generation => {
    const text = textOf(digest, { ...hook, generation });
    return { text, bytes: bytesOf(text) };
  });
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16));

/** By hand: core runs where there is no Buffer. */
export const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
