/** What a task takes along from this machine: looked for, before anything is started or sent. */
import { readFileSync, type Stats, statSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { type Issue, MusterError } from "@muster/core/error.ts";
import { tooLarge } from "@muster/core/secret/text.ts";
import type { Git, Package } from "@muster/core/task/inputs.ts";
import type { Bucket, Draft } from "@muster/task/draft.ts";
import { isUrl } from "../task-url.ts";
import { howToMake, isCredential } from "./credentials.ts";
import { unreadable } from "./list.ts";
import { localPath } from "./local-path.ts";
import { placePackages } from "./packages.ts";

export interface Source {
  /** As written in the task file. */
  readonly written: string;
  readonly path: string;
  readonly stats: Stats;
}

export interface Placed {
  /** On the host. */
  readonly path: string;
  readonly source: Source;
}

/** Everything that a task takes along; what is of this machine was seen to be there. */
export interface Inputs {
  readonly workdir?: Source | Git;
  readonly mounts: readonly Placed[];
  readonly buckets: readonly Bucket[];
  readonly packages: readonly Package[];
  /** Place on the host to content, in base64. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

export type Wanted = Pick<Draft, "workdir" | "fileMounts" | "buckets"> & {
  readonly task: Pick<Draft["task"], "packages" | "secrets">;
};

/**
 * Finds the local paths.
 * @param file The task file, for what people expect beside it.
 * @throws MusterError `invalid_request` that names each one that is not there
 */
export function find(cwd: string, draft: Wanted, file?: string): Inputs {
  const workdir = typeof draft.workdir === "string" ? findWorkdir(cwd, draft.workdir, file) : draft.workdir;
  const { packages, mounts } = placePackages(draft.task.packages, {
    cwd,
    workdir: typeof draft.workdir === "string" ? draft.workdir : undefined,
    isCloned: typeof draft.workdir === "object",
    taken: draft.fileMounts.map(({ path }) => path),
  });
  const found = [
    ...draft.fileMounts.map(mount => ({ ...look(cwd, mount.source), place: mount.path, key: "file_mounts" })),
    ...mounts.map(mount => ({ ...look(cwd, mount.source), place: mount.path, key: "packages" })),
  ];
  refuseMissing(found, { cwd, file });
  const placed = found.flatMap(({ place, stats, ...source }) =>
    stats === undefined ? [] : [{ path: place, source: { ...source, stats } }],
  );
  const isSecret = ({ path, source }: Placed): boolean => source.stats.isFile() && isCredential(source.path, path);
  return {
    ...(workdir !== undefined && { workdir }),
    mounts: placed.filter(mount => !isSecret(mount)),
    buckets: draft.buckets,
    packages,
    secretFiles: readSecrets(placed.filter(isSecret), draft.task.secrets),
  };
}

interface Look {
  readonly written: string;
  readonly path: string;
  readonly stats: Stats | undefined;
}

function look(cwd: string, written: string): Look {
  const path = localPath(cwd, written);
  return { written, path, stats: statSync(path, { throwIfNoEntry: false }) };
}

function findWorkdir(cwd: string, written: string, file: string | undefined): Source {
  const { stats, ...source } = look(cwd, written);
  if (stats?.isDirectory()) return { ...source, stats };
  const lack = stats === undefined ? "does not exist" : "is not a folder";
  throw new MusterError("invalid_request", `the working folder '${written}' ${lack}`, {
    hint: `it was looked for at ${source.path}; ${remedy(cwd, written, file)}`,
  });
}

/** Local paths are relative to where one is, as other launchers have it; people expect the task file's own folder. */
function remedy(cwd: string, written: string, file: string | undefined): string {
  const beside = folderOf(cwd, file);
  if (beside !== undefined && look(beside, written).stats?.isDirectory())
    return `there is one beside the task file: ${goThere(cwd, beside)}, or write it with its path`;
  return "correct workdir, or go to the folder that it is relative to";
}

/** The folder of the task file, where that is not the one that one is in. */
function folderOf(cwd: string, file: string | undefined): string | undefined {
  const folder = file === undefined || file === "-" || isUrl(file) ? cwd : dirname(resolve(cwd, file));
  return folder === cwd ? undefined : folder;
}

const goThere = (cwd: string, folder: string): string => `go there first (cd ${relative(cwd, folder)})`;

type Sought = Look & { readonly place: string; readonly key: string };

/** Where one is, and the task file. */
interface Standing {
  readonly cwd: string;
  readonly file: string | undefined;
}

function refuseMissing(found: readonly Sought[], { cwd, file }: Standing): void {
  const lacking = found.filter(one => lackOf(one).length > 0);
  if (lacking.length === 0) return;
  const keys = [...new Set(lacking.map(({ key }) => key))].join(" and ");
  const beside = folderOf(cwd, file);
  const isBeside = ({ written }: Sought): boolean => beside !== undefined && look(beside, written).stats !== undefined;
  const there = lacking.filter(one => one.stats === undefined && isBeside(one)).map(({ written }) => written);
  const which = `${there.join(", ")} ${there.length > 1 ? "are" : "is"}`;
  const otherwise = `take ${lacking.length === 1 ? "it" : "them"} out of ${keys}`;
  throw new MusterError("invalid_request", "files that the task takes along are missing", {
    issues: lacking.flatMap(lackOf),
    hint:
      beside === undefined || there.length === 0
        ? `check that they exist, or take them out of ${keys}`
        : `${which} beside the task file: ${goThere(cwd, beside)}, or write the paths as they are from here; or ${otherwise}`,
  });
}

function lackOf({ written, path, stats, place, key }: Sought): Issue[] {
  if (stats?.isFile() || stats?.isDirectory()) return [];
  const at = key === "packages" ? key : `${key}.${place}`;
  if (stats !== undefined) return [{ path: at, message: `'${written}' is neither a file nor a folder` }];
  const suggestion = howToMake(path);
  const message = `'${written}' does not exist on this machine`;
  return [{ path: at, message, ...(suggestion !== undefined && { suggestion }) }];
}

function readSecrets(mounts: readonly Placed[], secrets: Readonly<Record<string, string>>): Record<string, string> {
  const read = ({ path, source }: Placed): [string, string] => {
    try {
      return [path, readFileSync(source.path, "base64")];
    } catch (error) {
      throw unreadable(source.path, error);
    }
  };
  const files = Object.fromEntries(mounts.map(read));
  const message = mounts.length === 0 ? undefined : tooLarge({ ...secrets, ...files });
  if (message === undefined) return files;
  const [{ source } = { source: undefined }] = mounts.toSorted((a, b) => b.source.stats.size - a.source.stats.size);
  throw new MusterError("too_large", `credentials travel as secrets, and ${message}`, {
    hint: `the largest is ${source?.written}: leave in a copy of ${basename(source?.path ?? "it")} only what the job needs, and mount that`,
  });
}
