/** What the agent itself has to say in an attempt's log. */
import { join } from "node:path";
import { sizeOf } from "../disk.ts";
import { addressOf } from "../inputs/git.ts";
import type { Mask } from "../logs/mask.ts";
import { cutLines, onDisk } from "../logs/quota.ts";
import { noteOf, phasesOf, type ScriptPhase } from "../script/texts.ts";
import { exitCode } from "../script/watch.ts";
import type { Assignment } from "../types.ts";
import type { Outcome, Record } from "./record.ts";

/**
 * The lines, each with its end; empty when there is nothing to say.
 * @param said lines from before the end, each with its own
 */
export function notesOf(record: Record, outcome: Outcome, said = ""): string {
  const origin = originOf(record);
  const failures = (["setup", "run"] as const).flatMap(phase => {
    const failed = failuresOf(record.assignment, phase);
    const script = join(record.folder, failed.replace(/\.failed$/, ""));
    const records = record.read(failed);
    const note = noteOf(script, records, exitCode(record.folder, phase));
    if (note === undefined) return [];
    return phase === "setup" ? `setup: ${note}` : note;
  });
  const { first = [], last = [] } = cutLines(record.folder, phasesOf(record.assignment), record.assignment.logQuota);
  const message = outcome.message ?? [];
  const spell = (...lines: (string | readonly string[])[]): string =>
    lines
      .flat()
      .map(line => `${line}\n`)
      .join("");
  // The first line may have been sent already.
  return `${spell(first)}${said}${spell(origin, failures, message, lossesOf(record), last)}`;
}

/** Of the log's parts those that could not be written to the disk whole; what is over the quota is not meant to be. */
export function lossesOf(record: Record): string[] {
  const limit = (onDisk(record.assignment.logQuota) ?? Number.POSITIVE_INFINITY) * 1024;
  return phasesOf(record.assignment)
    .filter(phase => record.has(`${phase}.lost`) && sizeOf(join(record.folder, "out", `${phase}.log`)) < limit)
    .map(phase => `the log of ${phase} is not whole: not all of it could be written to the host's disk`);
}

/** Where in its folder an attempt's script notes what failed. */
export const failuresOf = ({ container }: Pick<Assignment, "container">, phase: ScriptPhase): string =>
  `${container === undefined ? "" : "in/"}${phase}.sh.failed`;

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
