/** The times of thousands of lines of cron in three zones, against brute force over 400 days, minute by minute. Pure. */
import { test } from "vitest";
import { expectBruteForce } from "../core/cron-support.ts";

test("they are those that brute force finds", () => {
  // Ten thousand by hand.
  expectBruteForce(3_000, 21);
}, 300_000);
