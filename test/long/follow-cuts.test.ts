/** Following a log over connections that are cut at random: what is real here, and what is not, says cuts.ts. */
import { expect, test } from "vitest";
import { cutPatterns } from "../support/cuts.ts";

test("whatever is cut, the same bytes arrive, of every node and try, once and in order: 500 patterns", async () => {
  expect(await cutPatterns(500)).toBeGreaterThan(500);
});
