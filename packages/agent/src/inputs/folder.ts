/** Making the folders that inputs go into. */
import { lstatSync, statSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode } from "../disk.ts";
import { type Account, give } from "../host/account.ts";

/**
 * Makes a folder and what leads to it; those that are there stay as they are, and links to folders are followed.
 * Node's own recursive mkdir never ends where a folder cannot hold others, such as /proc.
 */
export async function makeFolder(path: string, owner: Account | undefined, mode = 0o777): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), owner, mode);
  await makeOne(path, owner, mode);
}

/** Makes a folder in one that is there. A file or a link in its place goes, so that nothing leads out of the folder above. */
export async function makeReal(path: string, owner: Account | undefined): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) await rm(path, { force: true });
  await makeOne(path, owner, 0o777);
}

async function makeOne(path: string, owner: Account | undefined, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
    give(owner, path);
  } catch (error) {
    // Another attempt may have made it meanwhile.
    if (!hasCode(error, "EEXIST") || !statSync(path).isDirectory()) throw error;
  }
}
