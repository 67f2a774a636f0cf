/** The SQL of one page of a range. */
import type { Position, Query } from "@muster/core/cursor.ts";
import { MusterError } from "@muster/core/error.ts";
import type { IndexName } from "@muster/core/ports/table.ts";

type Value = string | number | Uint8Array;

export interface Statement {
  readonly sql: string;
  readonly values: readonly Value[];
}

interface Clause {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** The partition's column, then the columns of the order: the last ones break ties. */
const columns: Record<IndexName | "base", readonly [pk: string, sk: string, ...ties: string[]]> = {
  base: ["pk", "sk"],
  list: ["list_pk", "list_sk", "pk", "sk"],
  due: ["due_pk", "due_sk", "pk", "sk"],
  link: ["link_pk", "link_sk", "pk", "sk"],
};

/** Items of the range after `position` that have not expired, at most `count`. */
export function select(query: Query, position: Position | undefined, now: number, count: number): Statement {
  const [pk, sk, ...ties] = columns[query.index ?? "base"];
  const order = [sk, ...ties];
  const clauses: readonly Clause[] = [
    { sql: `${pk} = ?`, values: [query.pk] },
    { sql: "(expires_at IS NULL OR expires_at > ?)", values: [now] },
    ...bounds(query, sk, position === undefined ? undefined : after(query, order, position)),
  ];
  const direction = descends(query) ? "DESC" : "ASC";
  const sorting = order.map(column => `${column} ${direction}`).join(", ");
  return {
    sql: `SELECT * FROM items WHERE ${clauses.map(clause => clause.sql).join(" AND ")} ORDER BY ${sorting} LIMIT ?`,
    values: [...clauses.flatMap(clause => clause.values), count],
  };
}

/** The cursor lies within the range, so it takes the place of the bounds on its side: SQLite then seeks straight to it. */
function bounds(query: Query, sk: string, cursor: Clause | undefined): readonly Clause[] {
  if (cursor === undefined) return [...lower(query, sk), ...upper(query, sk)];
  return descends(query) ? [...lower(query, sk), cursor] : [cursor, ...upper(query, sk)];
}

const lower = (query: Query, sk: string): readonly Clause[] =>
  query.prefix === undefined ? [] : [{ sql: `${sk} >= ?`, values: [query.prefix] }];

function upper(query: Query, sk: string): readonly Clause[] {
  const clauses: Clause[] = [];
  if (query.prefix !== undefined) clauses.push({ sql: `${sk} < CAST(? AS TEXT)`, values: [beyond(query.prefix)] });
  if (query.upTo !== undefined) clauses.push({ sql: `${sk} <= ?`, values: [query.upTo] });
  return clauses;
}

/** The least text that is greater than everything with this prefix. 0xFF is no byte of UTF-8: hence bytes, cast to text. */
const beyond = (prefix: string): Uint8Array => Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])]);

function after(query: Query, order: readonly string[], position: Position): Clause {
  const values = order.map(column => at(position, column));
  const marks = order.map(() => "?").join(", ");
  return { sql: `(${order.join(", ")}) ${descends(query) ? "<" : ">"} (${marks})`, values };
}

/** A sealed position is ours, but perhaps of another version of this file. */
function at(position: Position, column: string): string {
  const value = position[column];
  if (value === undefined)
    throw new MusterError("invalid_request", "cursor is not valid; start again without it", { column });
  return value;
}

const descends = (query: Query): boolean => query.order === "descending";

/** Where a page ends that ends with this row. */
export function positionOf(query: Query, row: Readonly<Record<string, unknown>>): Position {
  const [, ...order] = columns[query.index ?? "base"];
  return Object.fromEntries(order.map(column => [column, String(row[column])]));
}
