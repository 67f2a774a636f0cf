/** What the parts of the Blobs contract share: the adapter under test, and names nobody else uses. */
import { randomUUID } from "node:crypto";
import type { Blobs } from "@muster/core/ports/blobs.ts";

export interface Subject {
  readonly blobs: Blobs;
  /** The clock that grants are measured by. */
  readonly now: () => number;
  /** Sends a request to where the grants point. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly close: () => Promise<void> | void;
}

export const bytes = (text: string) => new TextEncoder().encode(text);
export const keysOf = (heads: readonly { readonly key: string }[]) => heads.map(head => head.key);
/** The order of keys: by their UTF-8 bytes. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
/** A prefix that no test has used. */
export const fresh = () => `contract/${randomUUID()}/`;
