/** Packages that are folders or files of this machine: where they are on the host, and what must be sent for that. */
import { basename, isAbsolute, relative, resolve, sep } from "node:path";
import type { Package } from "@muster/core/task/inputs.ts";
import { isLeftOut } from "./list.ts";
import { localPath } from "./local-path.ts";

export interface Placing {
  readonly packages: Package[];
  /** Beside the task's own mounts. */
  readonly mounts: { readonly path: string; readonly source: string }[];
}

interface Surroundings {
  readonly cwd: string;
  /** The working folder, where it is one of this machine. */
  readonly workdir?: string | undefined;
  /** The working folder is a repository that the host clones: `./` is in it. */
  readonly isCloned: boolean;
  /** Where the task's own mounts are. */
  readonly taken: readonly string[];
}

/** What is in the working folder is there already; anything else is mounted below `~`, under its own name. */
export function placePackages(packages: readonly Package[], around: Surroundings): Placing {
  const places = new Map<string, string>();
  const placed = packages.map(one => {
    const { path, extras } = splitExtras(one);
    const isTheirs = around.isCloned && /^\.(\/|$)/.test(path);
    if (!isLocal(one, path) || isTheirs) return one;
    const full = localPath(around.cwd, path);
    const inside = insideOf(around, full);
    if (inside !== undefined) return { ...one, source: `./${inside}${extras}` };
    const place = places.get(full) ?? free(`~/${basename(full) || "files"}`, [...around.taken, ...places.values()]);
    places.set(full, place);
    return { ...one, source: place + extras };
  });
  return { packages: placed, mounts: [...places].map(([source, path]) => ({ path, source })) };
}

/** Only what is written as a path: `name` and `name/other` are requirements and repositories. */
const isLocal = ({ method }: Package, path: string): boolean => method !== "conda" && /^(\.{1,2}|~)?(\/|$)/.test(path);

/** `./lib[dev]`: what pip is to install beside. */
function splitExtras({ source }: Package): { path: string; extras: string } {
  const [, path = source, extras = ""] = /^(.*?)(\[[\w\s,.-]*\])?$/s.exec(source) ?? [];
  return { path, extras };
}

/** The path below the working folder, unless its rules leave it at home. */
function insideOf({ cwd, workdir }: Surroundings, full: string): string | undefined {
  if (workdir === undefined) return undefined;
  const root = localPath(cwd, workdir);
  const path = relative(root, full);
  if (path === "") return "";
  if (path.startsWith("..") || isAbsolute(path) || isLeftOut(root, path)) return undefined;
  return path.split(sep).join("/");
}

/** The place itself, or with the first number behind it that makes it nobody's. */
function free(place: string, taken: readonly string[]): string {
  const isTaken = (wanted: string): boolean => taken.some(one => resolve("/", one) === resolve("/", wanted));
  for (let number = 2, name = place; ; number++, name = `${place}-${number - 1}`) if (!isTaken(name)) return name;
}
