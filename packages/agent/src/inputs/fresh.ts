/** Empty workdirs. An old one gets another name before it goes: however long that takes, it never meets the new one. */
import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Mounts } from "../bucket/mounts.ts";
import { makeFolder } from "./folder.ts";
import type { Places } from "./inputs.ts";

const LEAVING = ".muster-leaving-";

/** Rejects when the signal aborts, and then no longer touches what a newer attempt may have made there. */
export async function freshWorkdir(
  { workdir, owner, mounts }: Pick<Places, "workdir" | "owner" | "mounts">,
  signal: AbortSignal,
): Promise<void> {
  // Removing what is mounted there would remove it from where it comes from.
  await mounts.clear(workdir);
  // Nothing waits from here to the rename.
  signal.throwIfAborted();
  if (lstatSync(workdir, { throwIfNoEntry: false }) !== undefined) {
    const leaving = join(dirname(workdir), `${LEAVING}${randomUUID()}`);
    renameSync(workdir, leaving);
    await rm(leaving, { recursive: true, force: true });
    signal.throwIfAborted();
  }
  await makeFolder(workdir, owner);
}

/** Removes what a crash kept from going; only what is there when it is called. @throws Error when something stays */
export async function sweepWorkdirs(jobs: string, mounts: Pick<Mounts, "clear">): Promise<void> {
  const folder = join(jobs, "muster");
  if (!existsSync(folder)) return;
  const left = readdirSync(folder).filter(name => name.startsWith(LEAVING));
  for (const path of left.map(name => join(folder, name))) {
    // Jobs may write there, and a link of theirs leads anywhere.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) await mounts.clear(path);
    await rm(path, { recursive: true, force: true });
  }
}
