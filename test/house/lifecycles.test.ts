/** The page of diagrams is written from the tables: `npm run lifecycles`. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lifecyclePage } from "../support/lifecycle-page.ts";

test("docs/lifecycles.md shows the lifecycles as they are", () => {
  expect(readFileSync("docs/lifecycles.md", "utf8")).toBe(lifecyclePage());
});
