/** Lists that come in pages, as one. */

interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string | undefined;
}

/** For what must not be left half done, such as cancelling all jobs. */
export const EVERY = 1_000_000;

/** Every item of every page, up to a limit that keeps a wrong turn from asking for ever. */
export async function all<T>(get: (cursor: string | undefined) => Promise<Page<T>>, limit = 10_000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await get(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined && items.length < limit);
  return items;
}

/** Every item of every page, one by one: for lists that need not fit into memory. */
export async function* each<T>(get: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await get(cursor);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
