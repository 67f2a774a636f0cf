/**
 * Whether a request was sent by whom it should be: over the bytes of its body as they came, before anything reads them.
 *
 * Every comparison is of two texts through `digest.same`, which hashes both first: no length and no place of a difference
 * shows in its time, and nothing that is sent can make it throw.
 */
import type { Digest } from "../ports/ports.ts";
import type { Hook } from "./hook.ts";
import { base64, type Key } from "./secret.ts";

type Part = Pick<Digest, "sign" | "same">;

/** A request as it came. */
export interface Received {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Epoch ms. */
  readonly now: number;
}

/** How old, or how far ahead, a signed time may be, in ms (https://www.standardwebhooks.com, "timestamp"). */
export const TOLERANCE = 5 * 60_000;

/** More than any sender has while it changes its secret. */
const MOST_SIGNATURES = 10;

/** @returns whether it is good under one of the keys. */
export function verify(
  digest: Part,
  { forge, header }: Pick<Hook, "forge" | "header">,
  keys: readonly Key[],
  received: Received,
): boolean {
  // All of them, so that how long it takes does not tell which was used.
  const good = keys.map(key => {
    if (forge === "github") return byHmac(digest, "x-hub-signature-256", "sha256=", key, received);
    if (forge === "gitlab") return byGitlab(digest, key, received);
    if (forge === "standard") return byStandard(digest, key, received);
    return byPlain(digest, header ?? DEFAULT_HEADER, key, received);
  });
  return good.includes(true);
}

/** Where plain senders put their signature, unless the hook says otherwise. */
export const DEFAULT_HEADER = "x-signature-256";

const encoder = new TextEncoder();

/** The key is the secret as text (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries). */
function byHmac(digest: Part, name: string, prefix: string, key: Key, { headers, body }: Received): boolean {
  return digest.same(headers[name] ?? "", `${prefix}${digest.sign(encoder.encode(key.text), body)}`);
}

/** As GitHub writes it, or the digits alone. */
function byPlain(digest: Part, name: string, key: Key, received: Received): boolean {
  const isPrefixed = byHmac(digest, name, "sha256=", key, received);
  return byHmac(digest, name, "", key, received) || isPrefixed;
}

/** What is signed is believed by its signature alone, whatever else it says. */
const byGitlab = (digest: Part, key: Key, received: Received): boolean =>
  received.headers["webhook-signature"] === undefined
    ? digest.same(received.headers["x-gitlab-token"] ?? "", key.text)
    : byStandard(digest, key, received);

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function byStandard(digest: Part, key: Key, { headers, body, now }: Received): boolean {
  const { "webhook-id": id = "", "webhook-timestamp": time = "", "webhook-signature": signatures = "" } = headers;
  if (id === "" || !/^[0-9]{1,12}$/.test(time) || Math.abs(now - Number(time) * 1000) > TOLERANCE) return false;
  const head = encoder.encode(`${id}.${time}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  const expected = `v1,${base64(fromHex(digest.sign(key.bytes, signed)))}`;
  const given = signatures.split(" ").slice(0, MOST_SIGNATURES);
  return given.map(one => digest.same(one, expected)).includes(true);
}

const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16));

/** What its sender calls this delivery, and whether the signature or the token vouches for that. */
export function deliveryOf(
  { forge }: Pick<Hook, "forge">,
  headers: Received["headers"],
): { id?: string; isSure: boolean } {
  const signed = forge === "standard" || (forge === "gitlab" && headers["webhook-signature"] !== undefined);
  const name = signed ? "webhook-id" : NAMES[forge].find(one => headers[one] !== undefined);
  const id = name === undefined ? undefined : headers[name];
  // GitLab's token goes with the whole request: whoever has it needs to repeat nothing. Other ids nobody has signed.
  return { ...(id && { id: id.slice(0, 256) }), isSure: id !== undefined && (signed || forge === "gitlab") };
}

const NAMES: Readonly<Record<Hook["forge"], readonly string[]>> = {
  github: ["x-github-delivery"],
  gitlab: ["idempotency-key"],
  standard: ["webhook-id"],
  plain: ["idempotency-key", "x-delivery-id", "x-request-id"],
};
