/** Packages that are folders or files of this machine: where they are on the host, and what must be sent for that. */
import { basename, isAbsolute, relative, sep } from "node:path";
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
  const found = new Map<string, { readonly path: string; readonly source: string }>();
  const placed = packages.map(one => {
    const { path, extras } = splitExtras(one);
    const isTheirs = around.isCloned && /^\.(\/|$)/.test(path);
    if (!isLocal(one, path) || isTheirs) return one;
    const full = localPath(around.cwd, path);
    const inside = insideOf(around, full);
    if (inside !== undefined) return { ...one, source: `./${inside}${extras}` };
    const taken = [...around.taken, ...Array.from(found.values(), mount => mount.path)];
    const mount = found.get(full) ?? { path: free(basename(full) || "files", taken), source: path };
    found.set(full, mount);
    return { ...one, source: mount.path + extras };
  });
  return { packages: placed, mounts: [...found.values()] };
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

/** `~/<name>`, or below the first folder where nothing else is to be: installers go by names, which therefore stay. */
function free(name: string, taken: readonly string[]): string {
  const isTaken = (place: string): boolean => taken.some(one => one.replace(/\/+$/, "") === place);
  for (let place = `~/${name}`, number = 2; ; place = `~/packages-${number++}/${name}`)
    if (!isTaken(place)) return place;
}
