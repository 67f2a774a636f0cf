/** What is mounted on this machine, and taking it away again. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { readText } from "../disk.ts";
import { find } from "../host/gpus.ts";

const run = promisify(execFile);
const TOOLS = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin";
/** A dead server can hold a call for ever, in ms. */
const TIME_LIMIT = 10_000;
/** One mount may lie over another. */
const LAYERS = 4;

/** Where something is mounted, as the kernel says it (proc(5): the fifth field, odd characters in octal). None where there is no /proc. */
export const mountpoints = (): string[] =>
  (readText("/proc/self/mountinfo") ?? "").split("\n").flatMap(line => {
    const place = line.split(" ")[4];
    return place === undefined ? [] : plain(place);
  });

/** The numbers are bytes, of characters that may have several. */
function plain(place: string): string {
  const parts = place.split(/\\([0-7]{3})/);
  const bytes = parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.of(Number.parseInt(part, 8))));
  return Buffer.concat(bytes).toString();
}

export const isMounted = (place: string): boolean => mountpoints().includes(place);

/** A place by the name that the kernel knows it by; what is mounted there need not answer any more. */
export function realPlace(place: string): string {
  try {
    return realpathSync(place);
  } catch {
    return join(realpathSync(dirname(place)), basename(place));
  }
}

/** Mounts at a folder or below it, the deepest first. */
export function mountsIn(folder: string): string[] {
  const below = folder.endsWith("/") ? folder : `${folder}/`;
  return mountpoints()
    .filter(place => place === folder || place.startsWith(below))
    .toReversed();
}

/** At first in good order, so that what was written is brought home; then without waiting for anybody. @throws Error when it stays */
export async function unmount(place: string): Promise<void> {
  const said: string[] = [];
  for (let layer = 0; layer < LAYERS && isMounted(place); layer++) {
    for (const command of waysOf(place)) {
      if (!isMounted(place)) break;
      await run(command[0] ?? "", command.slice(1), { timeout: TIME_LIMIT, killSignal: "SIGKILL" }).catch(
        (error: Error) => said.push(error.message),
      );
    }
  }
  if (isMounted(place)) throw new Error(`${place} cannot be unmounted (${said.at(-1)?.trim() ?? "no tool for it"})`);
}

/** Root's tool, or the one that lets users take away what they have mounted (fusermount(1): -z is lazy). */
function waysOf(place: string): string[][] {
  const root = process.getuid?.() === 0 ? find("umount", TOOLS) : undefined;
  if (root !== undefined)
    return [
      [root, place],
      [root, "-l", place],
    ];
  const user = find("fusermount3", TOOLS) ?? find("fusermount", TOOLS);
  return user === undefined
    ? []
    : [
        [user, "-u", place],
        [user, "-u", "-z", place],
      ];
}
