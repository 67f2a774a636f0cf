/** Pages for the API's lists: filters that no index serves look at a bounded number of items. */
import type { Page } from "./ports/table.ts";

/** The most items that one page of a filtered list looks at. */
export const MOST_LOOKED_AT = 1000;

/** Goes on reading until the page is full, the list has ended, or enough was looked at. */
export async function filtered<T, U>(
  read: (cursor: string | undefined, limit: number) => Promise<Page<T>>,
  limit: number,
  cursor: string | undefined,
  keep: (item: T) => U | undefined,
): Promise<{ items: U[]; cursor?: string }> {
  const items: U[] = [];
  let position = cursor;
  for (let looked = 0; looked < MOST_LOOKED_AT; ) {
    const page = await read(position, limit - items.length);
    items.push(...page.items.flatMap(item => keep(item) ?? []));
    looked += Math.max(page.items.length, 1);
    position = page.cursor;
    if (position === undefined) return { items };
    if (items.length >= limit) break;
  }
  return { items, ...(position !== undefined && { cursor: position }) };
}

/** A page's items in another form. */
export const mapped = <T, U>(page: Page<T>, form: (item: T) => U): { items: U[]; cursor?: string } => ({
  items: page.items.map(form),
  ...(page.cursor !== undefined && { cursor: page.cursor }),
});
