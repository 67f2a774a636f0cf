/** One document to one task. */
import { onErrorOf } from "./dialect.ts";
import { type Draft, empty } from "./draft.ts";
import { addGiven } from "./envs.ts";
import { hold } from "./hold.ts";
import { keysOf, required } from "./keys.ts";
import { type Reading, walk } from "./reading.ts";
import type { Given } from "./result.ts";
import type { Mapping } from "./yaml/tree.ts";

/** Reads the document by its dialect's table of keys; what is wrong with it goes to `reading.issues`. */
export function taskOf(reading: Reading, root: Mapping, given: Given): Draft {
  const draft = empty(onErrorOf(reading.dialect));
  addGiven(reading, given, root, draft);
  walk(reading, root, "", keysOf(reading.dialect, given), draft);
  required(reading, draft);
  directives(reading, draft);
  hold(reading, draft);
  return draft;
}

/** What a script says to another scheduler, which reads its comments. */
function directives(reading: Reading, { task }: Draft): void {
  const scripts = (["setup", "run"] as const).filter(key => /^#PBS\b/m.test(task[key] ?? ""));
  if (scripts.length > 0)
    reading.warnings.push(`${scripts.join(", ")}: lines that begin with #PBS are comments here: say it in resources`);
}
