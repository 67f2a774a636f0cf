/**
 * What GitHub has sent to a repository's webhook in the last days, and sending it again: GitHub does not by itself.
 * https://docs.github.com/en/rest/repos/webhooks
 */
import * as z from "zod";
import { asked, call, parsed } from "../forge/call.ts";
import { type GitHub, inRepository } from "./github.ts";

/** Ids of deliveries go beyond what a number holds exactly: they are texts here. */
const Delivery = z.object({
  id: z.string(),
  /** As in the header `X-GitHub-Delivery`: the same for one that was sent again. */
  guid: z.string(),
  delivered_at: z.iso.datetime({ offset: true }),
  status_code: z.number().int(),
  event: z.string(),
});

export interface Sent {
  readonly id: string;
  readonly guid: string;
  /** Epoch ms. */
  readonly at: number;
  readonly event: string;
  /** Whether it was taken. */
  readonly isTaken: boolean;
}

const Hooks = z.array(
  z.object({ id: z.number().int().positive(), config: z.object({ url: z.string().optional() }).nullish() }),
);

/** The id of the repository's webhook that sends to this URL. */
export async function findHook(github: GitHub, url: string): Promise<number | undefined> {
  const path = `${inRepository(github, "hooks")}?per_page=100`;
  const found = await asked(github, { method: "GET", path, what: "list its webhooks" }, Hooks);
  return found.find(hook => hook.config?.url === url)?.id;
}

/** In a JSON text no text of its own can hold these characters unescaped. */
const exact = (json: string): string => json.replace(/"id"\s*:\s*(\d{1,30})/g, '"id":"$1"');

/** The next page, as GitHub's Link header names it. */
const NEXT = /<[^<>]{0,2000}[?&]cursor=([^&<>]{1,500})[^<>]{0,2000}>;\s*rel="next"/;

/** The latest that were sent, newest first, a page of a hundred at a time. */
export async function listDeliveries(
  github: GitHub,
  hook: number,
  cursor?: string,
): Promise<{ items: Sent[]; cursor?: string }> {
  const query = `per_page=100${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
  const path = `${inRepository(github, "hooks", hook, "deliveries")}?${query}`;
  const ask = { method: "GET", path, what: "list what it has sent" } as const;
  const answer = await call(github, ask);
  const found = parsed(github, ask, z.array(Delivery).max(100), exact(answer.body));
  const next = NEXT.exec(answer.headers.link ?? "")?.[1];
  return {
    items: found.map(({ id, guid, delivered_at: at, event, status_code: code }) => ({
      ...{ id, guid, event, at: Date.parse(at) },
      isTaken: code >= 200 && code < 300,
    })),
    ...(next !== undefined && { cursor: decoded(next) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Has it sent once more. */
export async function redeliver(github: GitHub, hook: number, id: string): Promise<void> {
  const path = inRepository(github, "hooks", hook, "deliveries", id, "attempts");
  await call(github, { method: "POST", path, what: "send a delivery again" });
}
