/** What bash is given: the wrapper round every script, and the script itself. */
import type { Assignment } from "../types.ts";

/** What runs beside run. */
type SidePhase = "ray" | `service-${string}`;

/** A part of an attempt that writes to its log; `muster` is what the agent itself has to say. */
export type Phase = "packages" | "setup" | "run" | SidePhase | "hooks" | "muster";

/** The scripts of an attempt, in their order. */
export type ScriptPhase = "container" | "packages" | "setup" | "run" | SidePhase;

export const serviceOf = (name: string): `service-${string}` => `service-${name}`;

/** All of an attempt's, in the order of its log: a part that is written beside another comes after it. */
export const phasesOf = ({ ray, services = [] }: Pick<Assignment, "ray" | "services">): readonly Phase[] => [
  ...(["packages", "setup", "run"] as const),
  ...(ray ? (["ray"] as const) : []),
  ...services.map(({ name }) => serviceOf(name)),
  ...(["hooks", "muster"] as const),
];

/**
 * Runs one script and outlives the agent. Called as `wrap.sh <folder> <phase> <command...>`.
 *
 * A script is started once at most: whoever makes the pid file first. Its output goes through a pipe, since scripts that
 * write to /dev/stderr would cut a plain file back to nothing. The exit code is written when the script ends, while the
 * pipe may still be held open by what the script left behind; its newline says that it is whole. TERM to the whole group
 * does not stop the book-keeping: it is ignored from the start, so that what reads the pipe is never without that; a
 * handler, as the script's side has it, would leave the moment between its birth and its first command. There are no
 * variables here: they would change the task's own of the same name.
 */
export const WRAPPER = `trap '' TERM INT HUP
set -o noclobber
printf '%s\\n' "$$" >"$1/$2.pid" || exit 125
{
  trap : TERM INT HUP
  "\${@:3}" 2>&1
  printf '%s\\n' "$?" >|"$1/$2.exit"
} | {
  PATH=/usr/bin:/bin:$PATH
  exec cat >>"$1/out/$2.log"
}
`;

/** What setups and installers leave in `~/.bashrc` (PATH, conda) is there for every script, as SkyPilot's users expect. */
const PROFILE = "[ ! -r ~/.bashrc ] || . ~/.bashrc; ";

/** A script that is the agent's own: what differs comes as its arguments. */
export const toolOf = (text: string): string => `${PROFILE}${text}`;

/**
 * Scripts stop at the first failing line, or go on and note each line that failed; the trap stands before the first line's text, so that line numbers stay right.
 */
export function scriptOf(onError: Assignment["onError"], text: string): string {
  if (onError === "stop") return `${PROFILE}set -eo pipefail; ${text}`;
  return `${PROFILE}trap '{ printf "%s %s %s\\n" "$LINENO" "$?" "\${BASH_SOURCE[0]}" >>"$0.failed"; } 2>/dev/null' ERR; ${text}`;
}

interface Failure {
  readonly line: string;
  readonly code: number;
}

/** The line for the log about failures that went unnoticed; undefined when there were none. */
export function noteOf(script: string, records: string, code: number | undefined): string | undefined {
  const failures = unnoticed(script, records, code);
  const [first] = failures;
  if (first === undefined) return undefined;
  const more = failures.length === 1 ? "" : `, ${failures.length - 1} more failed after it,`;
  return (
    `line ${first.line} exited with ${first.code}${more} and the script went on, since the task says on_error: continue ` +
    "(with on_error: stop it would have ended there)"
  );
}

/** The last failure is the script's end, not one that it went over, when the script ended with its code. */
function unnoticed(script: string, records: string, code: number | undefined): Failure[] {
  const all = records.split("\n").flatMap(record => {
    const match = /^(\d+) (\d+) (.*)$/.exec(record);
    return match === null ? [] : { line: match[1] ?? "", code: Number(match[2]), source: match[3] };
  });
  const own = all.filter(failure => failure.source === script);
  return code !== undefined && code !== 0 && own.at(-1)?.code === code ? own.slice(0, -1) : own;
}
