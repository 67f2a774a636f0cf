/** Copies of what jobs left in a HOME: files, folders and links, with their modes and times. */
import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink, utimes } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";

export interface CopyOptions {
  /** Whether what lies at this path, absolute, is left out. */
  readonly skips: (path: string) => boolean;
  /** Where a link is to lead; undefined: it is left out. */
  readonly leads: (target: string) => string | undefined;
}

/**
 * Copies a folder to a place where nothing is. What is neither file, folder nor link is left out: it is of no use without
 * the process that made it.
 * @throws Error of the file system.
 */
export async function copyTree(from: string, to: string, options: CopyOptions): Promise<void> {
  const { mode, atime, mtime } = await lstat(from);
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (options.skips(source)) continue;
    if (entry.isDirectory()) await copyTree(source, target, options);
    else if (entry.isSymbolicLink()) await copyLink(source, target, options);
    else if (entry.isFile()) await copyPlain(source, target);
  }
  // Last: a folder that may not be written to has to be filled first, and filling it changes its time.
  await utimes(to, atime, mtime);
  await chmod(to, mode & 0o7777);
}

async function copyPlain(from: string, to: string): Promise<void> {
  const { mode, atime, mtime } = await lstat(from);
  // Where the file system can, the bytes are shared until one of the two changes.
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await utimes(to, atime, mtime);
  await chmod(to, mode & 0o7777);
}

async function copyLink(from: string, to: string, { leads }: CopyOptions): Promise<void> {
  const target = leads(await readlink(from));
  if (target !== undefined) await symlink(target, to);
}

/** Whether the path is this folder, or lies in it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`));
}

/** The same place in another folder; absolute links lead there then. */
export const rebased = (path: string, from: string, to: string): string => join(to, relative(from, path));
