/**
 * Ran against: the simulation's table in memory, and moto's DynamoDB with the defects mended that support/moto_dynamodb.py
 * names: is the one as the other is? MUSTER_TEST_RUNS says how many sequences, in place of as many as a minute has time for.
 */
import { openTable } from "@muster/aws/table/table.ts";
import { expect, test } from "vitest";
import { digest } from "../simulation/digest.ts";
import { compareTwins, OPERATIONS, simulated, type Tally } from "../support/table-twins.ts";
import { startMoto } from "./support/moto.ts";
import { awsAt, makeTable } from "./table-support.ts";

const RUNS = Number(process.env.MUSTER_TEST_RUNS ?? 100);

/** How many sequences share a table: moto looks through all of it for each query of an index. */
const PER_TABLE = 25;

test(`${RUNS} random sequences of ${OPERATIONS} operations: the simulation's table does what DynamoDB does`, {
  timeout: 120_000 + RUNS * 2_000,
}, async () => {
  const moto = await startMoto();
  try {
    const tally: Tally = {};
    for (let from = 0; from < RUNS; from += PER_TABLE) {
      const name = `muster-${from}`;
      await makeTable(moto.url, name);
      const twin = simulated();
      const other = openTable({ aws: awsAt(moto.url), name, digest, now: twin.now });
      const to = Math.min(RUNS, from + PER_TABLE);
      for (let seed = from; seed < to; seed++) await compareTwins({ ...twin, other }, seed, tally);
    }
    for (const kind of ["answered", "conflict", "invalid_request", "too_large"])
      expect(tally[kind], kind).toBeGreaterThan(RUNS / 20);
  } finally {
    await moto.close();
  }
});
