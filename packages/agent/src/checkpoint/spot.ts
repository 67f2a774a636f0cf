/**
 * Where a checkpoint is on a host. Each job has a folder of its own, so that one never finds what another has left, also
 * when both ask for the same place at the same time; the place that the task names is a link to it.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode, readJson, writeWhole } from "../disk.ts";
import { type Account, give } from "../host/account.ts";
import { makeFolder } from "../inputs/folder.ts";
import { InputError, placeOf } from "../inputs/place.ts";
import type { Generation } from "../types.ts";

export interface Spot {
  /** As the task names it. */
  readonly said: string;
  /** Where the link is. */
  readonly place: string;
  /** The folder itself. */
  readonly folder: string;
  /** Whether the link lies in the workdir, which each try has anew. */
  readonly isInWorkdir: boolean;
}

export interface Whose {
  readonly jobId: string;
  readonly rank: number;
}

/** @throws InputError for a place that no host has */
export function spotOf(
  said: string,
  { jobId, rank }: Whose,
  { home, workdir }: { readonly home: string; readonly workdir: string },
): Spot {
  const place = placeOf(said, home, workdir).replace(/(?<=.)\/+$/, "");
  if (place === home || place === workdir || place === "/")
    throw new InputError(`checkpoint ${said}: name a folder in it`);
  // Disks are chosen by their paths: what is to be outside of HOME stays where it was asked for.
  const base = place.startsWith(`${home}/`)
    ? join(home, "muster", ".checkpoints")
    : join(dirname(place), ".muster-checkpoints");
  return { said, place, folder: join(base, `${jobId}-${rank}`), isInWorkdir: place.startsWith(`${workdir}/`) };
}

/**
 * Makes the link. What the workdir brought there is where the first try begins.
 * @param isNew whether there is nothing in the folder yet, from this try or another
 * @throws InputError where something else is at the place
 */
export async function link(spot: Spot, owner: Account | undefined, isNew: boolean): Promise<void> {
  const { place, folder, said } = spot;
  await makeFolder(dirname(folder), owner);
  await makeFolder(dirname(place), owner);
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found?.isDirectory()) await makeWay(spot, isNew);
  else if (found !== undefined && !found.isSymbolicLink())
    throw new InputError(`checkpoint ${said}: there is a file at this place on the host`);
  await makeFolder(folder, owner);
  const beside = join(dirname(place), `.${process.pid}.checkpoint.muster`);
  rmSync(beside, { force: true });
  symlinkSync(folder, beside);
  give(owner, beside, true);
  renameSync(beside, place);
}

async function makeWay({ place, folder, said, isInWorkdir }: Spot, isNew: boolean): Promise<void> {
  if (isInWorkdir && isNew) {
    await rm(folder, { recursive: true, force: true });
    renameSync(place, folder);
  } else if (isInWorkdir) await rm(place, { recursive: true, force: true });
  else if (readdirSync(place).length > 0)
    throw new InputError(`checkpoint ${said}: this folder has files on the host that are not the job's; name another`);
  else removeEmpty(place, said);
}

function removeEmpty(place: string, said: string): void {
  try {
    rmdirSync(place);
  } catch (error) {
    if (!hasCode(error, "EBUSY", "EACCES", "EPERM")) throw error;
    throw new InputError(`checkpoint ${said}: something is mounted there; name a folder in it`);
  }
}

/** What the agent knows of a job's folder on this host. */
export interface Known {
  readonly folder: string;
  readonly place: string;
  /** The last try that had it here. */
  readonly fence: number;
  /** The number of that try's last generation, whole or not. */
  readonly number: number;
  /** All of it is home, and no try has it. */
  readonly isDone: boolean;
}

const recordOf = (records: string, { jobId, rank }: Whose): string => join(records, `${jobId}-${rank}.json`);

export const recall = (records: string, whose: Whose): Known | undefined => readJson<Known>(recordOf(records, whose));

export const remember = (records: string, whose: Whose, known: Known): void =>
  writeWhole(recordOf(records, whose), JSON.stringify(known));

/** Where the agent keeps which files of the folder are home. */
export const sentFile = (records: string, { jobId, rank }: Whose): string => join(records, `${jobId}-${rank}.sent`);

/** Where a state is brought back to, before it takes the folder's place. */
export const besideOf = (folder: string, { fence, number }: Generation): string => `${folder}.new-${fence}-${number}`;

/** Removes what was brought back of other states, and never came to the end of it. */
export async function clearBeside(folder: string, keep?: string): Promise<void> {
  const base = dirname(folder);
  for (const name of existsSync(base) ? readdirSync(base) : []) {
    const path = join(base, name);
    if (path.startsWith(`${folder}.new-`) && path !== keep) await rm(path, { recursive: true, force: true });
  }
}

/** Removes the folder from this host, and the link where it leads there. */
export async function forget(records: string, whose: Whose): Promise<void> {
  const known = recall(records, whose);
  if (known === undefined) return;
  if (leadsTo(known.place, known.folder)) rmSync(known.place, { force: true });
  await rm(known.folder, { recursive: true, force: true });
  await clearBeside(known.folder);
  for (const file of [sentFile(records, whose), recordOf(records, whose)]) rmSync(file, { force: true });
}

/** Makes room: folders that are home, and whose jobs have no try here, can be had again. */
export async function sweep(records: string, but: Whose): Promise<void> {
  for (const name of existsSync(records) ? readdirSync(records) : []) {
    const [, jobId = "", rank = ""] = /^(.+)-(\d+)\.json$/.exec(name) ?? [];
    const whose = { jobId, rank: Number(rank) };
    if (jobId === "" || (jobId === but.jobId && whose.rank === but.rank)) continue;
    if (recall(records, whose)?.isDone) await forget(records, whose);
  }
}

function leadsTo(place: string, folder: string): boolean {
  try {
    return readlinkSync(place) === folder;
  } catch {
    return false;
  }
}
