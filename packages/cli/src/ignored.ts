/** Which files of a working folder stay at home: git's rules, Muster's own, and what never makes sense on a host. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/** Read in each folder, in this order: a later rule overrides an earlier one. */
const FILES = [".gitignore", ".musterignore"] as const;
/** Left out unless a rule such as `!.venv/` takes it back. */
const NEVER = [".git", ".venv", "node_modules", "__pycache__"];

interface Rules {
  readonly folder: string;
  readonly rules: Ignore;
}

/** The rules that hold in one folder: those of its parents first. */
export type Scope = readonly Rules[];

/** The rules at the top of a working folder: also those of the repository that it is a part of. */
export function scopeOf(root: string): Scope {
  const outer = repositoryFolders(root).flatMap(folder => rulesIn(folder, [".gitignore"], []));
  // A folder that somebody names is wanted, even where the repository around it leaves it out.
  return [...(isIgnored(outer, root, true) ? [] : outer), ...rulesIn(root, FILES, NEVER)];
}

/** The scope of a folder below. */
export const enter = (scope: Scope, folder: string): Scope => [...scope, ...rulesIn(folder, FILES, [])];

/** Whether a path stays at home: the innermost rule that speaks of it decides, as in git. */
export function isIgnored(scope: Scope, path: string, isFolder: boolean): boolean {
  const verdict = scope
    .map(({ folder, rules }) => rules.test(relative(folder, path).split(sep).join("/") + (isFolder ? "/" : "")))
    .findLast(result => result.ignored || result.unignored);
  return verdict?.ignored ?? false;
}

function rulesIn(folder: string, names: readonly string[], first: readonly string[]): Rules[] {
  const texts = names.map(name => join(folder, name)).filter(path => existsSync(path));
  if (texts.length + first.length === 0) return [];
  return [{ folder, rules: ignore().add([...first, ...texts.map(path => readFileSync(path, "utf8"))].join("\n")) }];
}

/** The folders above this one up to the root of its git repository, outermost first; none outside a repository. */
function repositoryFolders(root: string): string[] {
  const above: string[] = [];
  if (existsSync(join(root, ".git"))) return above;
  for (let folder = dirname(root); folder !== dirname(folder); folder = dirname(folder)) {
    above.unshift(folder);
    if (existsSync(join(folder, ".git"))) return above;
  }
  return [];
}
