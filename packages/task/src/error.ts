/** The one error that reading a task file throws; it carries everything that is wrong with the file. */
import { MusterError } from "@muster/core/error.ts";

/** One thing that is wrong with a task file. */
export interface Issue {
  /** Key by key, such as `resources.ports.1`; empty when the file as a whole is meant. */
  readonly path: string;
  /** Absent for what came from the command line. */
  readonly line?: number;
  readonly message: string;
  /** What to write instead, as a sentence. */
  readonly suggestion?: string;
}

/** Of the issues, so many are told in the message. */
const MOST_TOLD = 20;

/** A task file that cannot be read: all its problems at once, in the order of its lines. */
export class TaskFileError extends MusterError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], file = "the task file") {
    const sorted = issues.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
    super("invalid_request", summary(sorted, file), { issues: sorted });
    this.issues = sorted;
  }
}

function summary(issues: readonly Issue[], file: string): string {
  const [first, ...others] = issues.slice(0, MOST_TOLD).map(sentence);
  if (others.length === 0) return `${file}: ${first ?? "cannot be read"}`;
  const untold = issues.length - MOST_TOLD;
  const lines = [
    `${file} has ${issues.length} problems:`,
    first,
    ...others,
    untold > 0 ? `and ${untold} more` : undefined,
  ];
  return lines.filter(line => line !== undefined).join("\n  ");
}

/** An issue on one line, as the command line prints it. */
export function sentence(issue: Issue): string {
  const where = [issue.path, issue.line === undefined ? "" : `(line ${issue.line})`]
    .filter(part => part !== "")
    .join(" ");
  const tail = issue.suggestion === undefined ? "" : `; ${issue.suggestion}`;
  return `${where === "" ? "" : `${where}: `}${issue.message}${tail}`;
}
