/** The same for many things, each by a call of its own. */

/** So many at once stay below EC2's rate. */
const AT_ONCE = 5;

/**
 * Does it for all of them. One that fails keeps no other from its turn.
 * @returns what was thrown.
 */
export async function failuresOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<unknown[]> {
  const failures: unknown[] = [];
  const queue = items.values();
  const next = async () => {
    for (const item of queue) await work(item).catch((error: unknown) => void failures.push(error));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return failures;
}
