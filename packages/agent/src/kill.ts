/** Ends everything that runs in a home, whether its agent lives or not: what a power switch does. */
import { folders, halt, Record } from "./attempt/record.ts";
import { Mounts } from "./bucket/mounts.ts";
import { Containers } from "./container/containers.ts";
import type { Home } from "./home.ts";
import { Journal } from "./journal.ts";
import { leaveRay } from "./ray/ray.ts";
import { end } from "./script/end.ts";
import { endErrand } from "./script/errand.ts";
import { ask } from "./sock.ts";

const GRACE = 2;

export async function kill(home: Home): Promise<void> {
  // An agent that lives would report the ends of its scripts as their own.
  await ask(home, "stop", true);
  await Promise.all(
    folders(home.attempts).map(async folder => {
      try {
        halt(folder);
      } finally {
        await end(folder, GRACE);
      }
      leaveOutside(folder);
    }),
  );
  for (const mark of [home.hook, home.watch]) await endErrand(mark, GRACE);
  const journal = new Journal(home.log);
  await new Containers({ folder: home.containers, journal }).retain(new Set());
  // Whoever removes the home afterwards must not remove what is in a bucket.
  await new Mounts({ folder: home.mounts, path: "", journal }).retain(new Set());
}

/** What lies outside of the home: nobody may come to look for it any more. */
function leaveOutside(folder: string): void {
  try {
    const record = Record.load(folder);
    if (record !== undefined) leaveRay(record);
  } catch {
    // Of what cannot be read nobody knows what it had.
  }
}
