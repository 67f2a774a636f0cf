/** Files that appear in their place whole or not at all. */
import { createHash } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Has a file made beside its place, and moves it there. Jobs that bring the same to one place at the same time do not get
 * into each other's way: each attempt has a name of its own for it, which is the same when it is begun again.
 * @param make gets the name of a file that is not there
 */
export async function whole(place: string, attempt: string, make: (file: string) => Promise<void>): Promise<void> {
  const name = createHash("sha256")
    .update(`${attempt}/${basename(place)}`)
    .digest("hex")
    .slice(0, 32);
  const beside = join(dirname(place), `.${name}.muster`);
  await rm(beside, { force: true });
  try {
    await make(beside);
    await rename(beside, place);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
