/** How a failure is told: a sentence, what is wrong where, and what to do. */
import { errors, type Issue, MusterError } from "@muster/core/error.ts";
import type { Output } from "./output.ts";

/** Tells the failure on stderr. @returns the exit code. */
export function tell(out: Output, thrown: unknown): number {
  const error = thrown instanceof MusterError ? thrown : unexpected(thrown);
  const exitCode = errors[error.code].exit;
  if (out.json) {
    const { code, message, details } = error;
    out.warn(JSON.stringify({ code, message, details, exitCode }));
    return exitCode;
  }
  for (const line of lines(out, error)) out.warn(line);
  return exitCode;
}

/** An issue on one line: `task.yaml:3: resources.acelerators: unknown key (did you mean 'accelerators'?)`. */
export function issueLine(issue: Issue & { readonly line?: number }, file?: string): string {
  const where = [file, file === undefined ? undefined : issue.line].filter(part => part !== undefined).join(":");
  const parts = [where, issue.path].filter(part => part !== "");
  const tail = [undefined, issue.message].includes(issue.suggestion) ? "" : ` (${issue.suggestion})`;
  return `${[...parts, issue.message].join(": ")}${tail}`;
}

/** What places in a request are called by those who type them. */
const TYPED: Readonly<Record<string, string>> = {
  "body.cluster": "-c",
  "body.name": "-c",
  "body.idle.after": "-i",
  "body.priority": "--priority",
  "body.maxLifetime": "--max-lifetime",
  "body.maxConcurrentJobs": "--max-concurrent-jobs",
  "body.task.resources.maxHourly": "--max-hourly",
  "body.resources.maxHourly": "--max-hourly",
  "body.task.resources.reservation": "--reservation",
  "body.resources.reservation": "--reservation",
  "body.actor": "the name",
  "body.target": "--target",
  target: "--target",
  "query.state": "--state",
  "task.nodes": "--num_nodes",
  "body.value": "the value",
  "params.name": "the name",
};

const typed = (issue: Issue): Issue => ({
  ...issue,
  path: TYPED[issue.path] ?? issue.path.replace(/^(body\.)?(task\.)?/, ""),
});

function lines(out: Output, { message, details }: MusterError): string[] {
  const file = typeof details.file === "string" ? details.file : undefined;
  const log = Array.isArray(details.log) ? details.log.map(line => out.style("dim", `  | ${line}`)) : [];
  // The control plane's message tells its first issue as well, in words of the API.
  const issues = details.issues?.map(typed);
  const told = details.issues?.some(issue => message.includes(`: ${issue.path}: `))
    ? message.split(": ", 1)[0]
    : message;
  const title = issues && file ? [] : [`${out.style("red", "muster:")} ${told}`];
  return [
    ...title,
    ...(issues ?? []).flatMap(issue => (file ? issueLine(issue, file) : untold(issue, told))),
    ...log,
    ...(details.hint === undefined ? [] : [`  ${details.hint}`]),
  ];
}

/** The line of an issue below the message: without what that says already, and none where it says all. */
function untold(issue: Issue, message = ""): string[] {
  if (!message.includes(issue.message)) return [`  ${issueLine(issue)}`];
  const { suggestion } = issue;
  return suggestion === undefined || message.includes(suggestion) ? [] : [`  ${suggestion}`];
}

/** A fault of Muster's own, or of the machine it runs on. */
function unexpected(thrown: unknown): MusterError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const stack = process.env.MUSTER_DEBUG && thrown instanceof Error ? { log: (thrown.stack ?? "").split("\n") } : {};
  return new MusterError("internal", message, stack, thrown);
}
