/** Small files of this user's own, which a crash leaves whole. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** How names of files end that are being written. */
export const UNFINISHED = ".new";

/** Writes a file so that it is there whole or not at all, even when the power goes; of two writers at once one wins. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}${UNFINISHED}`;
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
