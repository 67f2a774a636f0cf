/**
 * Whatever a draft holds, reading what is written of it gives the same again. The drafts are made up; the writer and the
 * reader are real, and so is the YAML between them. Pure.
 */
import { Task } from "@muster/core/task/task.ts";
import { type Draft, type Result, read } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import * as fc from "fast-check";
import { expect } from "vitest";
import { draftOf, parts } from "./drafts.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

const result = (...tasks: Draft[]): Result => ({ dialect: "muster", tasks, warnings: [], unsupported: [] });

/** Without the lines of what is missing, which a draft that was never in a file has none of. */
const plain = ({ missing, ...draft }: Draft) => ({
  ...draft,
  missing: missing.map(({ name, kind, at: { path } }) => ({ name, kind, path })),
});

/** Throws when one of so many tasks does not come back as it was written. */
export function comesBack(runs: number): void {
  const property = fc.property(parts, parts => {
    const draft = draftOf(parts);
    fc.pre(Task.safeParse(draft.task).success);
    const text = write(result(draft), { secrets: "written" });
    const back = read(text);
    expect(back).toMatchObject({ dialect: "muster", unsupported: [] });
    expect(back.tasks.map(plain)).toEqual([plain(draft)]);
  });
  verify(property, { numRuns: runs });
}
