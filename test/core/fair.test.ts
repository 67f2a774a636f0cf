/** Fair turns between owners: pure. */
import { FairQueue, inTurns } from "@muster/core/fair.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const owned = (owner: string, count: number) => Array.from({ length: count }, (_, n) => `${owner}${n}`);
const ownerOf = (item: string) => item.slice(0, 1);

describe("a fair queue", () => {
  test("gives each owner's things in their order, and owners in turns", async () => {
    const order: string[] = [];
    await inTurns([...owned("a", 100), ...owned("b", 3), ...owned("c", 2)], ownerOf, 1, async item => order.push(item));
    expect(order.slice(0, 9)).toEqual(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "a3"]);
    expect(order).toHaveLength(105);
  });

  test("leaves whoever hangs as many places as others do not need", async () => {
    const done: string[] = [];
    const never = new Promise<never>(() => undefined);
    void inTurns([...owned("a", 50), ...owned("b", 50)], ownerOf, 8, item =>
      ownerOf(item) === "a" ? never : Promise.resolve(void done.push(item)),
    );
    await new Promise(resolve => setImmediate(resolve));
    expect(done).toEqual(owned("b", 50));
  });

  test("does not make up to a latecomer for turns that it has not waited for", () => {
    const queue = new FairQueue<string>();
    const next = () => {
      const taken = queue.take();
      if (taken) queue.done(taken.owner);
      return taken?.item;
    };
    for (const item of owned("a", 20)) queue.add("a", item);
    for (let n = 0; n < 10; n++) next();
    for (const item of owned("b", 20)) queue.add("b", item);
    expect(
      Array.from({ length: 4 }, next)
        .map(item => item?.slice(0, 1))
        .sort(),
    ).toEqual(["a", "a", "b", "b"]);
  });

  test("gives everything once, and nobody's turn comes later than all others' turns before it", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 200 }), owners => {
        const taken = takenOf(owners);
        expect(taken.map(({ item }) => item).sort((a, b) => a - b)).toEqual(owners.map((_, n) => n));
        const kinds = new Set(owners).size;
        for (const owner of new Set(owners)) {
          const places = taken.flatMap((one, n) => (one.owner === owner ? [n] : []));
          expect(places.filter((place, nth) => place >= (nth + 1) * kinds)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** All that each owner has added, in the order in which it is had; one at a time. */
function takenOf(owners: readonly string[]) {
  const queue = new FairQueue<number>();
  for (const [n, owner] of owners.entries()) queue.add(owner, n);
  expect(queue.size).toBe(owners.length);
  const taken: { readonly owner: string; readonly item: number }[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    taken.push(next);
    queue.done(next.owner);
  }
  return taken;
}
