/** Ten thousand made-up tasks, written in Muster's own form and read again. Pure. */
import { test } from "vitest";
import { comesBack } from "../task/comes-back.ts";

test("a task comes back as it was written, whatever it holds", () => comesBack(10_000));
