import { homedir } from "node:os";
import { resolve } from "node:path";

/** A path of this machine as people write it: relative to where they are, or below `~`. */
export const localPath = (cwd: string, written: string): string =>
  resolve(cwd, written.replace(/^~(?=\/|$)/, homedir()));
