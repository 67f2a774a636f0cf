/** The times of ten thousand lines of cron in three zones, against brute force over 400 days, minute by minute. Pure. */
import { test } from "vitest";
import { expectBruteForce } from "../core/cron-support.ts";

test("they are those that brute force finds", () => {
  expectBruteForce(10_000, 21);
}, 300_000);
