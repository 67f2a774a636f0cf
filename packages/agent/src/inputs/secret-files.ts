/**
 * Files that are secrets: for their owner alone. They stay when the job is over, as the rest of HOME does, since another job
 * may hold the same: they go with the host.
 */
import { closeSync, fchmodSync, fsyncSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { appendFlushed } from "../disk.ts";
import { type Account, give } from "../host/account.ts";
import type { Assignment } from "../types.ts";
import { makeFolder } from "./folder.ts";
import type { Places } from "./inputs.ts";
import { placeOf } from "./place.ts";
import { whole } from "./whole.ts";

type SecretFile = Assignment["secretFiles"][number];

/** Whether a file lies in the workdir, and has to wait for it. */
export const isInWorkdir = ({ path }: SecretFile): boolean => !/^[/~]/.test(path);

/** Whole or not at all, and never into what a link leads to. */
export async function putSecretFile({ path, content }: SecretFile, places: Places): Promise<void> {
  const place = placeOf(path, places.home, places.workdir);
  // Before it is there: who makes an image of this host must know of it.
  appendFlushed(places.handed, `${place}\0`);
  await makeFolder(dirname(place), places.owner, 0o700);
  await whole(place, places.attempt, async beside => write(beside, Buffer.from(content, "base64"), places.owner));
}

function write(path: string, bytes: Buffer, owner: Account | undefined): void {
  const file = openSync(path, "wx", 0o600);
  try {
    // Whatever the umask takes away.
    fchmodSync(file, 0o600);
    give(owner, path);
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
