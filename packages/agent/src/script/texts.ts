/** What bash is given: the wrapper round every script, and the script itself. */
import type { Assignment } from "../types.ts";

/** What runs beside run. */
type SidePhase = "ray" | `service-${string}`;

/** A part of an attempt that writes to its log; `muster` is what the agent itself has to say. */
export type Phase = "packages" | "setup" | "run" | SidePhase | "hooks" | "muster";

/** The scripts of an attempt, in their order. */
export type ScriptPhase = "container" | "packages" | "setup" | "run" | SidePhase;

export const serviceOf = (name: string): `service-${string}` => `service-${name}`;

/** The parts of an attempt's log, in their order; those that are written at the same time stand together. */
export const stagesOf = ({
  ray,
  services = [],
}: Pick<Assignment, "ray" | "services">): readonly (readonly Phase[])[] => [
  ["packages"],
  ["setup"],
  ["run", ...(ray ? (["ray"] as const) : []), ...services.map(({ name }) => serviceOf(name))],
  ["hooks"],
  ["muster"],
];

export const phasesOf = (assignment: Pick<Assignment, "ray" | "services">): readonly Phase[] =>
  stagesOf(assignment).flat();

/**
 * Runs one script and outlives the agent. Called as `wrap.sh <folder> <phase> <limit> <command...>`; the limit is what its
 * log may take on the disk, as ulimit has it.
 *
 * A script is started once at most: whoever makes the pid file first. Its output goes through a pipe, since scripts that
 * write to /dev/stderr would cut a plain file back to nothing. The exit code is written when the script ends, while the
 * pipe may still be held open by what the script left behind; its newline says that it is whole. TERM to the whole group
 * does not stop the book-keeping: it is ignored from the start, so that what reads the pipe is never without that; a
 * handler, as the script's side has it, would leave the moment between its birth and its first command. There are no
 * variables here: they would change the task's own of the same name.
 *
 * Behind the limit, and on a full disk, `tee` goes on reading and writes nothing more: a script must not end for want of
 * somebody who reads what it prints. It ends with a failure then, which is noted. For the exit code there is room that was
 * taken beforehand.
 */
export const WRAPPER = `trap '' TERM INT HUP
set -o noclobber
printf '%s\\n' "$$" >"$1/$2.pid" || exit 125
printf '%4096s' '' >"$1/$2.room" 2>/dev/null
{
  trap : TERM INT HUP
  "\${@:4}" 2>&1
  set -- "$1" "$2" "$?"
  : >|"$1/$2.room"
  printf '%s\\n' "$3" >|"$1/$2.exit"
} | {
  PATH=/usr/bin:/bin:$PATH
  umask 077
  trap '' XFSZ
  ulimit -f "$3" 2>/dev/null
  exec tee -a "$1/out/$2.log" >/dev/null 2>&1
}
[ "\${PIPESTATUS[1]}" = 0 ] || : >|"$1/$2.lost"
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
