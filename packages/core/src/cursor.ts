/** Cursors: where a page ended, sealed so that nobody else can have written it, and good for that query only. */
import { MusterError } from "./error.ts";
import type { Digest } from "./ports/ports.ts";
import type { IndexName, Range } from "./ports/table.ts";

/** What a cursor is bound to. The page's size is not in it: it may change from page to page. */
export type Query = Pick<Range, "prefix" | "upTo" | "order"> & { readonly pk: string; readonly index?: IndexName };

/** Where a page ended, in the adapter's own terms. */
export type Position = Readonly<Record<string, string>>;

/** The cursor of a page of `query` that ended at `position`. */
export function seal(digest: Pick<Digest, "mac">, query: Query, position: Position): string {
  return encode(JSON.stringify({ at: position, mac: digest.mac("cursor", JSON.stringify([bound(query), position])) }));
}

/**
 * The position that `seal` put into this cursor.
 * @throws MusterError `invalid_request` when the cursor is forged, damaged, or of another query.
 */
export function open(digest: Pick<Digest, "mac" | "same">, query: Query, cursor: string): Position {
  const position = positionOf(cursor);
  // Sealing it again covers the whole text: there is no second spelling of a cursor.
  if (!digest.same(seal(digest, query, position), cursor)) throw notValid();
  return position;
}

const bound = (query: Query) => [
  query.pk,
  query.index ?? null,
  query.prefix ?? "",
  query.upTo ?? null,
  query.order ?? "ascending",
];

function positionOf(cursor: string): Position {
  const parsed = parse(cursor);
  const at = typeof parsed === "object" && parsed !== null && "at" in parsed ? parsed.at : undefined;
  if (typeof at !== "object" || at === null) throw notValid();
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(at)) {
    if (typeof value !== "string") throw notValid();
    entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(decode(cursor));
  } catch (cause) {
    throw notValid(cause);
  }
}

const notValid = (cause?: unknown) =>
  new MusterError("invalid_request", "cursor is not valid; start again without it", {}, cause);

// Base64url by hand: core runs where there is no Buffer.
function encode(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte));
  return btoa(bytes.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(cursor: string): string {
  const bytes = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, char => char.charCodeAt(0)));
}
