/**
 * Records: how a noun stands in the table, and `advance`, the only writer of a state.
 *
 * A record is parsed once, when it is read. Fields that this version of the code does not know are carried in `rest`
 * and written back, so that older code never erases what newer code stored.
 */
import type * as z from "zod";
import type { By } from "./actor/actor.ts";
import { MusterError } from "./error.ts";
import * as Event from "./event/event.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Clock, Random } from "./ports/ports.ts";
import type { Draft, Indexes, Item, Key, Sighting, Table, Write } from "./ports/table.ts";

export interface Noun<R extends object> {
  readonly type: string;
  readonly schema: z.ZodType<R>;
  /** Every field that any variant has. */
  readonly fields: ReadonlySet<string>;
  key(record: R): Key;
  indexes(record: R): Indexes;
  /** When the store may forget it, in epoch ms; never, when absent. */
  expiresAt?(record: R): number | undefined;
}

/** A record as it was read: the version that a write will expect, and the fields we do not know. */
export type Stored<R> = R & { readonly version: number; readonly rest: Readonly<Record<string, unknown>> };

/** A stored record that this version of the code does not understand; newer code may have written it. */
export class Unreadable extends MusterError {}

/** The version of a record that is only thought of: it is written when it first moves. */
export const UNWRITTEN = 0;

/** The names of all fields of a discriminated union's variants, or of one object schema. */
export function fieldsOf(schema: z.ZodObject | z.ZodDiscriminatedUnion): ReadonlySet<string> {
  if ("options" in schema) return new Set(schema.options.flatMap(option => [...fieldsOf(option as z.ZodObject)]));
  return new Set(Object.keys(schema.shape));
}

export function read<R extends object>(noun: Noun<R>, item: Item): Stored<R> {
  return { ...parse(noun, item), version: item.version, rest: unknownOf(noun, item.data) };
}

/** The fields that this version of the code does not know: nearly always none. */
function unknownOf<R extends object>(noun: Noun<R>, data: Item["data"]): Readonly<Record<string, unknown>> {
  const names = Object.keys(data).filter(name => !noun.fields.has(name));
  return names.length === 0 ? NONE : Object.fromEntries(names.map(name => [name, data[name]]));
}

const NONE: Readonly<Record<string, unknown>> = Object.freeze({});

/** Reads one record strongly; undefined when there is none. @throws Unreadable */
export async function load<R extends object>(table: Table, noun: Noun<R>, key: Key): Promise<Stored<R> | undefined> {
  const item = await table.get(key);
  return item && read(noun, item);
}

/** What an index saw. It has no version: nothing can be written from it. @throws Unreadable */
export const glimpse = <R extends object>(noun: Noun<R>, sighting: Sighting): R => parse(noun, sighting);

function parse<R extends object>(noun: Noun<R>, item: Draft): R {
  const parsed = noun.schema.safeParse(item.data);
  if (parsed.success) return parsed.data;
  throw new Unreadable("internal", `stored ${noun.type} ${item.pk} ${item.sk} is not valid`, {}, parsed.error);
}

/** The write that brings a new record into the table. */
export const insert = <R extends object>(noun: Noun<R>, record: R): Write => ({
  put: draft(noun, record, {}),
  expect: "absent",
});

/** A new version of a record in the same state. */
export function amend<R extends object>(
  noun: Noun<R>,
  record: Stored<R>,
  patch: Patch<R>,
): { next: Stored<R>; write: Write } {
  const { version, rest, ...known } = record;
  return replace(noun, record, { ...known, ...patch });
}

/** Fields to change; `undefined` removes one. The state is not among them: only `advance` writes that. */
export type Patch<R> = {
  readonly [K in Exclude<AllKeys<R>, "state" | "id" | "workspace">]?: ValueOf<R, K> | undefined;
};
type AllKeys<R> = R extends unknown ? keyof R : never;
type ValueOf<R, K> = R extends unknown ? (K extends keyof R ? R[K] : never) : never;

export interface Move<R> {
  readonly next: Stored<R>;
  /** The record and its event: always one transaction. */
  readonly writes: readonly [Write, Write];
}

export interface Why {
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Moves a record along its lifecycle: checks that the state takes the event, drops what the new state does not have, and
 * writes the event of the change beside it.
 * @throws MusterError `conflict` when the state does not take the event.
 */
export function advance<R extends { state: S; id: string; workspace: string }, S extends string, E extends string>(
  world: { readonly clock: Clock; readonly random: Pick<Random, "ulid"> },
  kind: { readonly noun: Noun<R>; readonly life: Lifecycle<S, E> },
  by: By,
  record: Stored<R>,
  event: E,
  patch: Patch<R> = {},
  why: Why = {},
): Move<R> {
  const target = kind.life.next(record.state, event);
  if (target === undefined)
    throw new MusterError(
      "conflict",
      `${kind.noun.type} ${record.id} is ${record.state}: it cannot ${event.replaceAll("_", " ")} now`,
      {
        state: record.state,
      },
    );
  const now = world.clock.now();
  const { version, rest, ...known } = record;
  const { next, write } = replace(kind.noun, record, { ...known, ...patch, state: target, changedAt: now });
  const entry = entryOf(kind.noun, next, by, {
    id: `evt_${world.random.ulid()}`,
    at: now,
    from: record.state,
    ...why,
  });
  return { next, writes: [write, { put: entry, expect: "absent" }] };
}

/** The writes that bring a new noun into being: the record in its first state, and the event of it. */
export function begin<R extends { state: string; id: string; workspace: string; createdAt: number }>(
  world: { readonly random: Pick<Random, "ulid"> },
  noun: Noun<R>,
  by: By,
  record: R,
  why: Why = {},
): readonly [Write, Write] {
  const entry = entryOf(noun, record, by, { id: `evt_${world.random.ulid()}`, at: record.createdAt, ...why });
  return [insert(noun, record), { put: entry, expect: "absent" }];
}

function entryOf<R extends { state: string; id: string }>(
  noun: Noun<R>,
  record: R,
  by: By,
  rest: Omit<Event.Happened, "subject" | "kind" | "clusterId">,
): Draft {
  const clusterId = noun.type === "cluster" ? record.id : (record as { clusterId?: string }).clusterId;
  return Event.draft(noun.key(record), by, {
    subject: record.id,
    kind: `${noun.type}.${record.state}`,
    ...(clusterId !== undefined && { clusterId }),
    ...rest,
  });
}

function replace<R extends object>(
  noun: Noun<R>,
  record: Stored<R>,
  data: Record<string, unknown>,
): { next: Stored<R>; write: Write } {
  const parsed = noun.schema.safeParse(JSON.parse(JSON.stringify(data)));
  if (!parsed.success) throw new MusterError("internal", `a ${noun.type} cannot become that`, {}, parsed.error);
  const next = { ...parsed.data, version: record.version + 1, rest: record.rest };
  const expect = record.version === UNWRITTEN ? "absent" : record.version;
  return { next, write: { put: draft(noun, parsed.data, record.rest), expect } };
}

function draft<R extends object>(noun: Noun<R>, record: R, rest: Readonly<Record<string, unknown>>): Draft {
  const expiresAt = noun.expiresAt?.(record);
  return {
    ...noun.key(record),
    type: noun.type,
    data: { ...rest, ...record },
    indexes: noun.indexes(record),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
