/** Items as DynamoDB holds them. */
import { MusterError } from "@muster/core/error.ts";
import { type Draft, INDEXES, type Indexes, type Item, type Key, type Sighting } from "@muster/core/ports/table.ts";
import { INDEX_KEYS, TTL } from "./schema.ts";

/** The two kinds of attribute values that the table has. */
export type Value = { readonly S: string } | { readonly N: string };
export type Attributes = Readonly<Record<string, Value>>;

/** `data` is JSON in one string: DynamoDB's own maps cost more bytes, and do not keep the order of fields. */
export function encode(draft: Draft, version: number, writeId: string): Attributes {
  const { expiresAt } = draft;
  return {
    ...encodeKey(draft),
    type: { S: draft.type },
    data: { S: JSON.stringify(draft.data) },
    version: { N: String(version) },
    writeId: { S: writeId },
    ...(expiresAt !== undefined && {
      // TTL counts in seconds, and must not come before the time.
      [TTL]: { N: String(Math.ceil(expiresAt / 1000)) },
      expiresAtMs: { N: String(expiresAt) },
    }),
    ...encodeIndexes(draft.indexes ?? {}),
  };
}

export const encodeKey = ({ pk, sk }: Key): Attributes => ({ pk: { S: pk }, sk: { S: sk } });

function encodeIndexes(indexes: Indexes): Attributes {
  const pairs = INDEXES.flatMap(name => {
    const key = indexes[name];
    const { pk, sk } = INDEX_KEYS[name];
    return key === undefined ? [] : [[pk, { S: key.pk }] as const, [sk, { S: key.sk }] as const];
  });
  return Object.fromEntries(pairs);
}

/** @throws MusterError `internal` when this is no item of ours. */
export function decode(given: unknown): Item {
  const attributes = attributesOf(given);
  const expiresAt = attributes.expiresAtMs === undefined ? undefined : number(attributes, "expiresAtMs");
  const indexes = decodeIndexes(attributes);
  return {
    ...decodeKey(attributes),
    type: text(attributes, "type"),
    data: JSON.parse(text(attributes, "data")),
    ...(Object.keys(indexes).length > 0 && { indexes }),
    ...(expiresAt !== undefined && { expiresAt }),
    version: number(attributes, "version"),
  };
}

/** What an index shows. @throws MusterError `internal` */
export function decodeSighting(given: unknown): Sighting {
  const { version, ...seen } = decode(given);
  return seen;
}

/** @throws MusterError `internal` */
export function decodeKey(given: unknown): Key {
  const attributes = attributesOf(given);
  return { pk: text(attributes, "pk"), sk: text(attributes, "sk") };
}

function decodeIndexes(attributes: Unread): Indexes {
  const found = INDEXES.filter(name => attributes[INDEX_KEYS[name].pk] !== undefined);
  return Object.fromEntries(
    found.map(name => {
      const { pk, sk } = INDEX_KEYS[name];
      return [name, { pk: text(attributes, pk), sk: text(attributes, sk) }];
    }),
  );
}

/** The id of the write that left this item. */
export function writeIdOf(given: unknown): string | undefined {
  const attributes = attributesOf(given);
  return attributes.writeId === undefined ? undefined : text(attributes, "writeId");
}

/** Expired items stand in the table until DynamoDB gets to them: to us they are none. */
export const isExpired = ({ expiresAt }: Draft, now: number): boolean => expiresAt !== undefined && expiresAt <= now;

type Unread = Readonly<Record<string, unknown>>;

function attributesOf(given: unknown): Unread {
  if (typeof given !== "object" || given === null) throw unreadable("no attributes");
  return given as Unread;
}

/** @throws MusterError `internal` */
export function text(attributes: Unread, name: string): string {
  const { S: value } = (attributes[name] ?? {}) as { readonly S?: unknown };
  if (typeof value !== "string") throw unreadable(`no text in ${name}`);
  return value;
}

function number(attributes: Unread, name: string): number {
  const { N: value } = (attributes[name] ?? {}) as { readonly N?: unknown };
  if (typeof value !== "string" || Number.isNaN(Number(value))) throw unreadable(`no number in ${name}`);
  return Number(value);
}

const unreadable = (why: string) => new MusterError("internal", `the table holds what Muster did not write: ${why}`);
