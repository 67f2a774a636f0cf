/** Which files of a working folder stay at home: git's rules, Muster's own, and what never makes sense on a host. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/** Read in each folder, in this order: a later rule overrides an earlier one. */
const FILES = [".gitignore", ".musterignore"] as const;
/** Left out unless a rule such as `!.venv/` takes it back. */
const NEVER: ReadonlySet<string> = new Set([".git", ".venv", "node_modules", "__pycache__"]);

interface Rules {
  readonly folder: string;
  readonly rules: Ignore;
  /** Last parts of what is taken back. */
  readonly back: ReadonlySet<string>;
}

/** The rules that hold in one folder: those of its parents first. */
export type Scope = readonly Rules[];

/** The rules at the top of a working folder: also those of the repository that it is a part of. */
export function scopeOf(root: string): Scope {
  const outer = repositoryFolders(root).flatMap(folder => rulesIn(folder, [".gitignore"]));
  // A folder that somebody names is wanted, even where the repository around it leaves it out.
  return [...(verdictOf(outer, root, true) === "out" ? [] : outer), ...rulesIn(root, FILES)];
}

/** The scope of a folder below, in which these names are. */
export function enter(scope: Scope, folder: string, names: ReadonlySet<string>): Scope {
  const there = FILES.filter(name => names.has(name));
  return there.length === 0 ? scope : [...scope, ...rulesIn(folder, there)];
}

/** Whether a path stays at home: the innermost rule that speaks of it decides, as in git. */
export function isIgnored(scope: Scope, path: string, isFolder: boolean): boolean {
  const verdict = verdictOf(scope, path, isFolder);
  return verdict === "out" || (NEVER.has(basename(path)) && !isTakenBack(scope, path, verdict));
}

/**
 * Whether a folder with these names in it is an environment of Python's: installed for this machine, at this very path,
 * and large. `pyvenv.cfg` marks a virtual environment (PEP 405), `conda-meta/history` one of conda's.
 */
export function isEnvironment(scope: Scope, folder: string, names: ReadonlySet<string>): boolean {
  const isOne = names.has("pyvenv.cfg") || (names.has("conda-meta") && existsSync(join(folder, "conda-meta/history")));
  return isOne && !isTakenBack(scope, folder, verdictOf(scope, folder, true));
}

type Verdict = "in" | "out" | undefined;

function verdictOf(scope: Scope, path: string, isFolder: boolean): Verdict {
  for (const { folder, rules } of scope.toReversed()) {
    const { ignored, unignored } = rules.test(below(folder, path) + (isFolder ? "/" : ""));
    if (ignored) return "out";
    if (unignored) return "in";
  }
  return undefined;
}

/** By its own name: `!*` and such, which let through what other rules keep, were not written with these folders in mind. */
const isTakenBack = (scope: Scope, path: string, verdict: Verdict): boolean =>
  verdict === "in" && scope.some(({ back }) => back.has(basename(path)));

function below(folder: string, path: string): string {
  const rest = path.slice(folder.endsWith(sep) ? folder.length : folder.length + 1);
  return sep === "/" ? rest : rest.replaceAll(sep, "/");
}

function rulesIn(folder: string, names: readonly string[]): Rules[] {
  const texts = names
    .map(name => join(folder, name))
    .filter(path => existsSync(path))
    .map(path => readFileSync(path, "utf8"));
  if (texts.length === 0) return [];
  const text = texts.join("\n");
  const back = [...text.matchAll(/^!(?:.*\/)?([^/\s]+)\/?\s*$/gm)].map(([, name = ""]) => name);
  return [{ folder, rules: ignore().add(text), back: new Set(back) }];
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
