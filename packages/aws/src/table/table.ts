/**
 * The Table port on DynamoDB: one table, made as schema.ts says.
 *
 * Gotchas: an item that has expired is as good as absent, to reads and to what a write expects, also while DynamoDB still
 * holds it. A write that is told as `unavailable` may have been written, or may yet be.
 */
import type { Digest } from "@muster/core/ports/ports.ts";
import type { IndexName, Item, Page, Range, Sighting, Table } from "@muster/core/ports/table.ts";
import type { Aws } from "../call/aws.ts";
import { get } from "./get.ts";
import type { Place } from "./place.ts";
import { query as queryOf } from "./query.ts";
import { write } from "./write.ts";

export interface TableOptions {
  readonly aws: Aws;
  /** Of the table. */
  readonly name: string;
  /** Seals cursors. */
  readonly digest: Digest;
  /** Epoch ms; the machine's clock when absent. */
  readonly now?: () => number;
  /** Of each attempt of a call, in ms; five seconds when absent. */
  readonly timeout?: number;
}

export function openTable({ now = Date.now, ...rest }: TableOptions): Table {
  const place: Place = { ...rest, now };

  function query(range: Range & { readonly pk: string }): Promise<Page<Item>>;
  function query(range: Range & { readonly pk: string; readonly index: IndexName }): Promise<Page<Sighting>>;
  function query(range: Range & { readonly pk: string; readonly index?: IndexName }): Promise<Page<Item | Sighting>> {
    return queryOf(place, range);
  }

  return { get: key => get(place, key), query, write: writes => write(place, writes) };
}
