/** What an attempt brings along: secret files, workdir and mounts; fetched, checked, put in place. Safe to do again from the start. */
import { lstatSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bringBucket } from "../bucket/bucket.ts";
import type { Mounts } from "../bucket/mounts.ts";
import { messageOf } from "../disk.ts";
import { type Account, give } from "../host/account.ts";
import type { Assignment } from "../types.ts";
import { fetchInput } from "./fetch.ts";
import { makeFolder } from "./folder.ts";
import { freshWorkdir } from "./fresh.ts";
import { clone } from "./git.ts";
import { fill } from "./packs.ts";
import { InputError, placeOf } from "./place.ts";
import { isInWorkdir, putSecretFile } from "./secret-files.ts";
import { whole } from "./whole.ts";

export interface Places {
  /** The attempt's name among those of this host. */
  readonly attempt: string;
  /** The attempt's folder, for what is on its way. */
  readonly folder: string;
  readonly home: string;
  readonly workdir: string;
  /** For tar and git: what the job's scripts get. */
  readonly env: Readonly<Record<string, string>>;
  /** The task's own variables: what opens its buckets and repositories is among them, or nowhere. */
  readonly given: Readonly<Record<string, string>>;
  /** The file that names the secret files of this host. */
  readonly handed: string;
  /** Whose files they become, when not the agent's own user's. */
  readonly owner: Account | undefined;
  readonly mounts: Mounts;
}

export interface Brought {
  /** The commit that the workdir is at, when it was cloned. */
  readonly commit?: string;
}

/** Rejects with an InputError that says what could not be had. */
export async function bringInputs(assignment: Assignment, places: Places, signal: AbortSignal): Promise<Brought> {
  const { secretFiles, mounts } = assignment;
  // Those outside come first: a key among them may open the repository.
  await putSecretFiles(
    secretFiles.filter(file => !isInWorkdir(file)),
    places,
  );
  const commit = await told("the workdir", () => bringWorkdir(assignment, places, signal));
  if (assignment.beside === undefined) linkWorkdir(places);
  await putSecretFiles(secretFiles.filter(isInWorkdir), places);
  for (const mount of mounts) await told(`mount ${mount.path}`, () => bring(mount, places, signal));
  return commit === undefined ? {} : { commit };
}

async function putSecretFiles(files: Assignment["secretFiles"], places: Places): Promise<void> {
  for (const file of files) await told(`secret file ${file.path}`, () => putSecretFile(file, places));
}

/** `~/sky_workdir` leads to the workdir of the job that began last. A real folder of that name is the user's own. */
export function linkWorkdir(places: Places): void {
  const link = join(places.home, "sky_workdir");
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSymbolicLink()) return;
  const beside = join(places.home, ".sky_workdir.muster");
  rmSync(beside, { force: true, recursive: true });
  symlinkSync(places.workdir, beside);
  give(places.owner, beside, true);
  renameSync(beside, link);
}

/** Returns the commit, of a workdir that was cloned. */
async function bringWorkdir({ workdir }: Assignment, places: Places, signal: AbortSignal): Promise<string | undefined> {
  const empty = (): Promise<void> => freshWorkdir(places, signal);
  if (workdir !== undefined && "url" in workdir) return clone(workdir, places, empty, signal);
  await empty();
  if (workdir !== undefined) await fill("the workdir", workdir.packs, places.workdir, places, signal);
  return undefined;
}

async function bring(mount: Assignment["mounts"][number], places: Places, signal: AbortSignal): Promise<void> {
  if (mount.kind === "bucket") return bringBucket(mount, places, signal);
  const name = `mount ${mount.path}`;
  const place = placeOf(mount.path, places.home, places.workdir);
  if (mount.kind === "folder") {
    await makeFolder(place, places.owner);
    return fill(name, mount.packs, place, places, signal);
  }
  await makeFolder(dirname(place), places.owner);
  await whole(place, places.attempt, async file => {
    await fetchInput(name, mount, file, signal);
    await chmod(file, mount.mode ?? 0o644);
    give(places.owner, file);
  });
}

/** Whatever the file system says, it says of this input. */
async function told<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: ${messageOf(error)}`);
  }
}
