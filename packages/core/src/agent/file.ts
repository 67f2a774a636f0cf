/** What machines fetch when they boot: the agent and its runtime, by their hashes. They are no secret. */
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Edge } from "../ports/world.ts";
import type { File } from "./protocol.ts";

/** How long the URL is good, in ms. */
const LIFETIME = 2 * 60_000;

/** @throws MusterError `not_found`. */
export async function file(world: Pick<Edge, "blobs" | "clock">, sha256: string): Promise<File> {
  const key = Keys.runtime(sha256);
  if ((await world.blobs.head(key)) === undefined) throw new MusterError("not_found", `there is no file ${sha256}`);
  return { url: await world.blobs.signedGet(key, world.clock.now() + LIFETIME) };
}
