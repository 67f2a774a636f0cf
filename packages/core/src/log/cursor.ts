/** Where a page of a log ended. */
import { MusterError } from "../error.ts";

export interface Place {
  /** Which try of the job, from 1. */
  readonly attempt: number;
  /** Of that try; 0 until what led to it has been told. */
  readonly fence: number;
  /** How many lines of what led to it were told. */
  readonly told: number;
  /** The rank that the next page begins with: one that writes much must not hide the others. */
  readonly turn: number;
  /** Sequence number of the next chunk, by rank; 0 where there is none. */
  readonly next: readonly number[];
}

const PLACE = /^((?:[0-9a-z]{1,6}\.){3}[0-9a-z]{1,3})\.((?:[0-9a-z]{1,6}(?:-[0-9a-z]{1,6})*)?)$/;

/** `<attempt>.<fence>.<told>.<turn>.<next>-<next>-…`, in base 36: seven characters a node at most, which at 1,024 nodes stays below 8 KB. */
export function write({ attempt, fence, told, turn, next }: Place): string {
  const places = next.slice(0, next.findLastIndex(place => place > 0) + 1);
  const fields = [attempt, fence, told, turn].map(field => field.toString(36));
  return [...fields, places.map(place => place.toString(36)).join("-")].join(".");
}

/** @throws MusterError `invalid_request` for text that is no cursor. */
export function read(cursor: string): Place {
  const match = PLACE.exec(cursor);
  if (match === null)
    throw new MusterError("invalid_request", "this log cursor is not valid; start again without it", {
      issues: [{ path: "query.cursor", message: "not a cursor of this list" }],
    });
  const [, fields = "", places = ""] = match;
  const [attempt = 1, fence = 0, told = 0, turn = 0] = fields.split(".").map(field => Number.parseInt(field, 36));
  const next = places === "" ? [] : places.split("-").map(place => Number.parseInt(place, 36));
  return { attempt, fence, told, turn, next };
}
