/** Signatures as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks, version 1.0.0. */
import { base64, keysOf } from "../hook/secret.ts";
import type { Digest } from "../ports/ports.ts";
import { VERSION } from "../version.ts";
import type { Delivery } from "./delivery.ts";
import type { Webhook } from "./webhook.ts";

type Part = Pick<Digest, "mac" | "sign">;

/** The headers of one try. While the secret before is good, its signature stands beside the other. @param now epoch ms */
export function headersOf(
  digest: Part,
  webhook: Webhook,
  { id, body }: Pick<Delivery, "id" | "body">,
  now: number,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = keysOf(digest, webhook, now).map(
    ({ bytes }) => `v1,${base64(bytesOf(digest.sign(bytes, signed)))}`,
  );
  return {
    "content-type": "application/json",
    "user-agent": `Muster/${VERSION}`,
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
