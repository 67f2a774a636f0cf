/** A few hundred made-up tasks, written and read again; `test/long` has ten thousand. Pure. */
import { test } from "vitest";
import { comesBack } from "./comes-back.ts";

test("a task comes back as it was written, whatever it holds", () => comesBack(300));
