/** The scheduler's laws about commands beside jobs, on queues and clusters at random. The decision is a pure function. */
import * as fc from "fast-check";
import { test } from "vitest";
import { laws, mixtures } from "../support/beside-laws.ts";

test.each(Object.entries(laws))("%s", async (_, law) => {
  await fc.assert(fc.property(mixtures, fc.boolean(), law), { numRuns: 500 });
});
