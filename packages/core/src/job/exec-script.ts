/**
 * The script that runs commands one after the other, and marks in its output where each begins and how it ended.
 *
 * The commands travel as base64, so that no text of theirs is ever the shell's; on the host each becomes a file. What they
 * print goes to the log as it is. A mark stands between two line feeds that are its own, and bears a number that was made
 * for this job and that the commands are not told:
 *
 *     ⏎=muster <nonce> begin <command>⏎
 *     ⏎=muster <nonce> end <command> <exit code>⏎
 *
 * Gotcha: the text must be the same for the same commands, since a host knows by it whether it has run them before. So the
 * nonce comes as a variable.
 */
import type { Create } from "./command.ts";

/** The variable that carries the nonce; it is gone before the first command. */
export const NONCE = "MUSTER_EXEC_NONCE";

/** What a mark begins with. */
export const markOf = (nonce: string): string => `\n=muster ${nonce} `;

const INTERPRETERS = { shell: '"$BASH"', python: "python3 -u" } as const;

const base64 = (text: string): string => {
  const bytes = new TextEncoder().encode(text);
  // In parts: a call takes only so many arguments.
  const parts = Array.from({ length: Math.ceil(bytes.length / PART) }, (_, index) =>
    String.fromCharCode(...bytes.subarray(index * PART, (index + 1) * PART)),
  );
  return btoa(parts.join(""));
};
const PART = 8192;

/** The names are long since a variable that has one of them would be changed. */
export function scriptOf({ commands, language, failFast }: Pick<Create, "commands" | "language" | "failFast">): string {
  const next = failFast ? 'exit "$2"' : '[ "$_muster_exec_code" != 0 ] || _muster_exec_code=$2';
  const head = `set +e
_muster_exec_nonce=$${NONCE}
unset ${NONCE}
_muster_exec_code=0
cd || exit 125
_muster_exec_folder=$(mktemp -d) || exit 125
trap 'rm -rf -- "$_muster_exec_folder"' EXIT
_muster_exec() {
  base64 -d >"$_muster_exec_folder/command-$1" || exit 125
  printf '\\n=muster %s begin %s\\n' "$_muster_exec_nonce" "$1"
  ${INTERPRETERS[language]} "$_muster_exec_folder/command-$1" </dev/null
  set -- "$1" "$?"
  printf '\\n=muster %s end %s %s\\n' "$_muster_exec_nonce" "$1" "$2"
  [ "$2" = 0 ] || ${failFast ? next : `{ ${next}; }`}
}
`;
  const calls = commands.map((text, index) => `_muster_exec ${index} <<'.'\n${base64(text)}\n.\n`);
  return `${head}${calls.join("")}exit "$_muster_exec_code"\n`;
}
