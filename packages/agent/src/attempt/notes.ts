/** What the agent itself has to say in an attempt's log. */
import { join } from "node:path";
import { noteOf } from "../script/texts.ts";
import { exitCode } from "../script/watch.ts";
import type { Assignment } from "../types.ts";
import type { Outcome, Record } from "./record.ts";

/** Read of a file of failed lines; a loop may have written millions. */
const MOST = 64 * 1024;

/** The lines, each with its end; empty when there is nothing to say. */
export function notesOf(record: Record, outcome: Outcome): string {
  const failures = (["setup", "run"] as const).flatMap(phase => {
    const script = join(record.folder, `${phase}.sh`);
    const records = record.read(`${phase}.sh.failed`).slice(0, MOST);
    const note = noteOf(script, records, exitCode(record.folder, phase));
    if (note === undefined) return [];
    return phase === "setup" ? `setup: ${note}` : note;
  });
  const lines = outcome.message === undefined ? failures : [...failures, outcome.message];
  return lines.map(line => `${line}\n`).join("");
}

/** Messages may quote a path or a tool's output, and with it a secret. */
export function mask(assignment: Assignment, outcome: Outcome): Outcome {
  if (outcome.message === undefined) return outcome;
  const secrets = assignment.secretNames.flatMap(name => assignment.env[name] || []);
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, "***"), outcome.message);
  return { ...outcome, message: message.slice(0, 2000) };
}
