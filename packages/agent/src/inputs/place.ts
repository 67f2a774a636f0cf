/** Where a mount goes. */
import { isAbsolute, join, normalize } from "node:path";

/** Inputs that cannot be had or put in place; the message is for the job's owner. */
export class InputError extends Error {}

/** `~` is HOME, relative paths lie in the workdir; nothing may climb out of where it begins. */
export function placeOf(path: string, home: string, workdir: string): string {
  if (path === "" || path.includes("\0")) throw new InputError("a mount has a path that no file can have");
  if (path.split("/").includes("..")) throw new InputError(`mount ${path}: ".." is not allowed`);
  if (path === "~" || path.startsWith("~/")) return join(home, path.slice(1));
  if (path.startsWith("~")) throw new InputError(`mount ${path}: only ~ itself is known, no other user's home`);
  return isAbsolute(path) ? normalize(path) : join(workdir, path);
}
