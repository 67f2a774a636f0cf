/** Asking to upload: what is here already need not be sent. */
import type { Actor } from "../actor/actor.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import * as Upload from "./upload.ts";

/** How long the permission lasts, in ms. */
const GRANT = 3_600_000;

/** What is older is sent again, in ms: stores may forget uploads after 90 days, and a job may wait in its queue. */
const RENEWED = 60 * 24 * 3_600_000;

export async function create(
  world: { readonly blobs: Blobs; readonly clock: Clock },
  actor: Actor,
  request: Upload.Create,
): Promise<Upload.Info> {
  const key = Upload.blobKey(actor.workspace, request.sha256);
  const head = await world.blobs.head(key);
  const isFresh = head !== undefined && world.clock.now() - head.writtenAt < RENEWED;
  if (isFresh && head.size === request.size) return { sha256: request.sha256, exists: true };
  const policy = await world.blobs.postPolicy({
    prefix: key,
    maxBytes: request.size,
    expiresAt: world.clock.now() + GRANT,
    // Whoever hears later that these bytes exist trusts that they are these.
    sha256: request.sha256,
  });
  return { sha256: request.sha256, exists: false, post: { url: policy.url, fields: { ...policy.fields }, key } };
}
