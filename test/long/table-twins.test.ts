/** Ran against: the simulation's table in memory, and the local adapter on the real SQLite: is the one as the other is? */
import { openTable } from "@muster/local/table/table.ts";
import { expect, test } from "vitest";
import { digest } from "../simulation/digest.ts";
import { compareTwins, OPERATIONS, simulated, type Tally } from "../support/table-twins.ts";

const RUNS = 5_000;

test(`${RUNS} random sequences of ${OPERATIONS} operations: the simulation's table does what SQLite does`, async () => {
  const twin = simulated();
  const other = openTable({ path: ":memory:", digest, now: twin.now });
  const tally: Tally = {};
  for (let seed = 0; seed < RUNS; seed++) await compareTwins({ ...twin, other }, seed, tally);
  other.close();
  for (const kind of ["answered", "conflict", "invalid_request", "too_large"])
    expect(tally[kind], kind).toBeGreaterThan(RUNS / 20);
});
