/** A folder that comes as archives: while one is unpacked, the next is on its way, so that two lie on the disk at most. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fetchInput, type Input } from "./fetch.ts";
import type { Places } from "./inputs.ts";
import { unpack } from "./unpack.ts";

/** Unpacks all of them, in order, into a folder that is there. @throws InputError */
export async function fill(
  name: string,
  packs: readonly Input[],
  folder: string,
  places: Places,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const fileOf = (index: number): string => join(places.folder, `input-${index % 2}`);
  const begin = async (index: number): Promise<void> => {
    const pack = packs[index];
    if (pack !== undefined) await fetchInput(name, pack, fileOf(index), either);
  };
  let coming = begin(0);
  try {
    for (let index = 0; index < packs.length; index++) {
      await coming;
      coming = begin(index + 1);
      // Looked at in the next round, or when this one has failed.
      coming.catch(() => undefined);
      await unpack(name, fileOf(index), folder, places, either);
    }
  } finally {
    failed.abort();
    await coming.catch(() => undefined);
    await Promise.all([0, 1].map(index => rm(fileOf(index), { force: true })));
  }
}
