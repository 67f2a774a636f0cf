/** Workdir and mounts of an attempt: fetched, checked, put in place. Safe to do again from the start. */
import { lstatSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode, messageOf } from "../disk.ts";
import { type Account, give } from "../host/account.ts";
import type { Assignment } from "../types.ts";
import { fetchInput, type Input } from "./fetch.ts";
import { InputError, placeOf } from "./place.ts";
import { unpack } from "./unpack.ts";

export interface Places {
  /** The attempt's folder, for what is on its way. */
  readonly folder: string;
  readonly home: string;
  readonly workdir: string;
  /** For tar. */
  readonly env: Record<string, string>;
  /** Whose files they become, when not the agent's own user's. */
  readonly owner: Account | undefined;
}

/** Rejects with an InputError that says what could not be had. */
export async function bringInputs(assignment: Assignment, places: Places, signal: AbortSignal): Promise<void> {
  await told("the workdir", () => freshWorkdir(assignment, places, signal));
  linkWorkdir(places);
  for (const mount of assignment.mounts) await told(`mount ${mount.path}`, () => bring(mount, places, signal));
}

/** `~/sky_workdir` leads to the workdir of the job that began last. A real folder of that name is the user's own. */
export function linkWorkdir(places: Places): void {
  const link = join(places.home, "sky_workdir");
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSymbolicLink()) return;
  const beside = `${link}.new`;
  rmSync(beside, { force: true });
  symlinkSync(places.workdir, beside);
  give(places.owner, beside, true);
  renameSync(beside, link);
}

async function freshWorkdir(assignment: Assignment, places: Places, signal: AbortSignal): Promise<void> {
  await rm(places.workdir, { recursive: true, force: true });
  await makeFolder(places.workdir, places.owner);
  if (assignment.workdir === undefined) return;
  if ("url" in assignment.workdir) throw new InputError("the workdir: git repositories cannot be cloned yet");
  await fill("the workdir", assignment.workdir.packs, places.workdir, places, signal);
}

async function fill(
  name: string,
  packs: readonly Input[],
  folder: string,
  places: Places,
  signal: AbortSignal,
): Promise<void> {
  const archive = join(places.folder, "input");
  for (const pack of packs) {
    await fetchInput(name, pack, archive, signal);
    await unpack(name, archive, folder, places, signal);
  }
  await rm(archive, { force: true });
}

async function bring(mount: Assignment["mounts"][number], places: Places, signal: AbortSignal): Promise<void> {
  const name = `mount ${mount.path}`;
  const place = placeOf(mount.path, places.home, places.workdir);
  if (mount.kind === "bucket") throw new InputError(`${name}: buckets cannot be had yet`);
  if (mount.kind === "folder") {
    await makeFolder(place, places.owner);
    return fill(name, mount.packs, place, places, signal);
  }
  await makeFolder(dirname(place), places.owner);
  const beside = join(dirname(place), `.${basename(place).slice(0, 200)}.muster`);
  await rm(beside, { force: true });
  await fetchInput(name, mount, beside, signal);
  await chmod(beside, mount.mode ?? 0o644);
  give(places.owner, beside);
  await rename(beside, place);
}

/** Node's own recursive mkdir never ends where a folder cannot hold others, such as /proc. */
async function makeFolder(path: string, owner: Account | undefined): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), owner);
  try {
    await mkdir(path);
    give(owner, path);
  } catch (error) {
    // Another attempt may have made it meanwhile.
    if (!hasCode(error, "EEXIST") || !statSync(path).isDirectory()) throw error;
  }
}

/** Whatever the file system says, it says of this input. */
async function told(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: ${messageOf(error)}`);
  }
}
