/** What the agent itself has to say in an attempt's log. */
import { join } from "node:path";
import { addressOf } from "../inputs/git.ts";
import type { Mask } from "../logs/mask.ts";
import { noteOf } from "../script/texts.ts";
import { exitCode } from "../script/watch.ts";
import type { Outcome, Record } from "./record.ts";

/** The lines, each with its end; empty when there is nothing to say. */
export function notesOf(record: Record, outcome: Outcome): string {
  const origin = originOf(record);
  const failures = (["setup", "run"] as const).flatMap(phase => {
    const script = join(record.folder, `${phase}.sh`);
    const records = record.read(`${phase}.sh.failed`);
    const note = noteOf(script, records, exitCode(record.folder, phase));
    if (note === undefined) return [];
    return phase === "setup" ? `setup: ${note}` : note;
  });
  const lines = [...origin, ...failures, ...(outcome.message === undefined ? [] : [outcome.message])];
  return lines.map(line => `${line}\n`).join("");
}

/** Which commit a branch was at is worth knowing later. */
function originOf({ assignment: { workdir }, state: { commit } }: Record): string[] {
  // An empty repository has none.
  if (!commit || workdir === undefined || !("url" in workdir)) return [];
  return [`the workdir is commit ${commit} of ${addressOf(workdir.url).url}`];
}

/** Messages may quote a path or a tool's output, and with it a secret. */
export function masked(mask: Mask, outcome: Outcome): Outcome {
  return outcome.message === undefined ? outcome : { ...outcome, message: mask.text(outcome.message).slice(0, 2000) };
}
