/** The scheduler's laws on some queues and clusters; on ten thousand each in test/long. The decision is a pure function. */
import { place } from "@muster/core/job/place.ts";
import * as fc from "fast-check";
import { test } from "vitest";
import { cases } from "../support/place-cases.ts";
import { laws } from "../support/place-laws.ts";

test.each(Object.entries(laws))("%s", async (_, law) => {
  await fc.assert(
    fc.property(cases, of => law(of, place(of.queue, of.slots))),
    { numRuns: 200 },
  );
});
