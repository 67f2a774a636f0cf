/** What machines fetch when they boot: the agent and its runtime, by their hashes. No secrets, but they cost what they weigh. */
import { type Identity, isHost } from "../actor/identity.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Edge } from "../ports/world.ts";
import type { File } from "./protocol.ts";

/** How long the URL is good, in ms. */
const LIFETIME = 2 * 60_000;

/** For hosts only. @throws MusterError `not_found`; `unauthenticated` for anybody else. */
export async function file(
  world: Pick<Edge, "blobs" | "clock" | "trust">,
  identity: Identity,
  sha256: string,
): Promise<File> {
  if (world.trust === undefined || !isHost(world.trust, identity))
    throw new MusterError("unauthenticated", "only this deployment's machines get these files");
  const key = Keys.runtime(sha256);
  if ((await world.blobs.head(key)) === undefined) throw new MusterError("not_found", `there is no file ${sha256}`);
  return { url: await world.blobs.signedGet(key, world.clock.now() + LIFETIME) };
}
