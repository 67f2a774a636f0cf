/** Variables that a task needs and its file has no value for: from the workspace's secrets, or from the caller. */
import type { Draft, Missing } from "./draft.ts";
import { isSecretName } from "./envs.ts";
import { type Issue, TaskFileError } from "./error.ts";
import { variablesIn } from "./paths.ts";

/** The draft with those of its missing secrets taken from the workspace's that are stored there under their names. */
export function fulfil(draft: Draft, storedNames: readonly string[]): Draft {
  const inPaths = new Set(pathsOf(draft).flatMap(variablesIn));
  // A path is made before the job begins, and the value of a stored secret is known to the job alone.
  const isFound = ({ name, kind }: Missing): boolean =>
    storedNames.includes(name) && (kind === "secrets" || isSecretName(name)) && !inPaths.has(name);
  const found = draft.missing.filter(isFound).map(({ name }) => name);
  const storedSecrets = [...draft.task.storedSecrets, ...found];
  const missing = draft.missing.filter(one => !isFound(one));
  return { ...draft, task: { ...draft.task, storedSecrets }, missing };
}

/** @throws TaskFileError that names each variable that has no value still. */
export function requireGiven({ missing }: Pick<Draft, "missing">, file?: string): void {
  if (missing.length > 0) throw new TaskFileError(missing.map(lack), file);
}

/** How a variable is given its value, as a sentence. */
export function howToGive({ name, kind }: Missing): string {
  const stored = kind === "secrets" || isSecretName(name) ? ` or \`muster secrets set ${name}\`` : "";
  return `give it with -e ${name}=…${stored}`;
}

function lack(missing: Missing): Issue {
  const { at } = missing;
  return {
    path: at.path,
    ...(at.line !== undefined && { line: at.line }),
    message: "has no value",
    suggestion: howToGive(missing),
  };
}

/** Whatever of a draft the file's variables were put into. */
function pathsOf({ workdir, fileMounts, buckets }: Draft): string[] {
  const folder = typeof workdir === "object" ? [workdir.url, workdir.ref ?? ""] : [workdir ?? ""];
  return [...folder, ...[...fileMounts, ...buckets].flatMap(({ path, source }) => [path, source])];
}
