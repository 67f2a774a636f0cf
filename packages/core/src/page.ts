/** Pages for the API's lists: filters that no index serves look at a bounded number of items. */
import type { IndexName, Page, Sighting, Table } from "./ports/table.ts";
import { Unreadable } from "./record.ts";

/** Which page of a list, as the API asks for it. */
export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** The items that a list is of. From an index: one that was written this instant may be missing. */
interface Source {
  readonly pk: string;
  readonly index?: IndexName;
  readonly prefix?: string;
  readonly order?: "ascending" | "descending";
}

/** A page of a list, in the form that `keep` gives its items, without those that it leaves out. */
export const listed = <U>(
  table: Table,
  { index, ...range }: Source,
  { cursor: from, limit: most }: PageRequest,
  keep: Keep<Sighting, U>,
): Promise<{ items: U[]; cursor?: string }> =>
  filtered<Sighting, U>(
    (cursor, limit) => {
      const query = { ...range, limit, ...(cursor !== undefined && { cursor }) };
      return index === undefined ? table.query(query) : table.query({ ...query, index });
    },
    most,
    from,
    keep,
  );

/** The most items that one page of a filtered list looks at; one reading more may go beyond. */
export const MOST_LOOKED_AT = 1000;

/** Items that one reading takes at least, once a filter has shown that it leaves things out. */
const READ = 100;

type Read<T> = (cursor: string | undefined, limit: number) => Promise<Page<T>>;
type Keep<T, U> = (item: T) => U | undefined;

/**
 * Goes on reading until the page is full, the list has ended, or enough was looked at. A record that this version of the
 * code cannot read is left out: it must not hide all the others. Whoever asks for it by its id is told.
 */
export async function filtered<T, U>(
  read: Read<T>,
  limit: number,
  cursor: string | undefined,
  keep: Keep<T, U>,
): Promise<{ items: U[]; cursor?: string }> {
  const items: U[] = [];
  let position = cursor;
  for (let looked = 0; looked < MOST_LOOKED_AT && items.length < limit; ) {
    const room = limit - items.length;
    // The first reading is of the page's size: most lists leave nothing out.
    const page = await fitting(read, position, { room, size: looked === 0 ? room : Math.max(room, READ) }, keep);
    items.push(...page.kept);
    looked += Math.max(page.looked, 1);
    position = page.cursor;
    if (position === undefined) return { items };
  }
  return { items, ...(position !== undefined && { cursor: position }) };
}

/** One reading of up to `size` items of which no more than `room` are kept, and where it ended. */
async function fitting<T, U>(
  read: Read<T>,
  from: string | undefined,
  { room, size }: { readonly room: number; readonly size: number },
  keep: Keep<T, U>,
): Promise<{ kept: U[]; looked: number; cursor: string | undefined }> {
  const page = await read(from, size);
  const kept = page.items.map(item => readable(() => keep(item)));
  const places = kept.flatMap((item, place) => (item === undefined ? [] : [place]));
  const last = places[room - 1];
  if (places.length <= room || last === undefined)
    return { kept: kept.filter(item => item !== undefined), looked: page.items.length, cursor: page.cursor };
  // Only the table says where a page ends: read again up to the last that fits. An index may have moved since, and then
  // as many items as there is room are sure to fit.
  return fitting(read, from, { room, size: last + 1 < size ? last + 1 : room }, keep);
}

/** @returns undefined for a record that this version of the code cannot read. */
export function readable<U>(run: () => U): U | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** A page's items in another form. */
export const mapped = <T, U>(page: Page<T>, form: (item: T) => U): { items: U[]; cursor?: string } => ({
  items: page.items.map(form),
  ...(page.cursor !== undefined && { cursor: page.cursor }),
});
