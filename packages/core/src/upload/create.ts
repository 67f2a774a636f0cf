/** Asking to upload: what is here already need not be sent. */
import type { Actor } from "../actor/actor.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import * as Upload from "./upload.ts";

/** How long the permission lasts, in ms. */
const GRANT = 3_600_000;

/** What is older is sent again, in ms: stores may forget uploads after 90 days, and a job may wait in its queue. */
const RENEWED = 60 * 24 * 3_600_000;

/** Questions that the store is asked at the same time. */
const AT_ONCE = 16;

interface Here {
  readonly blobs: Blobs;
  readonly clock: Clock;
}

export async function create(world: Here, actor: Actor, { items }: Upload.Create): Promise<Upload.Created> {
  const answers: Upload.Info[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const some = items.slice(at, at + AT_ONCE).map(item => look(world, actor, item));
    answers.push(...(await Promise.all(some)));
  }
  return { items: answers };
}

async function look(world: Here, actor: Actor, { sha256, size }: Upload.Item): Promise<Upload.Info> {
  const key = Upload.blobKey(actor.workspace, sha256);
  const head = await world.blobs.head(key);
  const isFresh = head !== undefined && world.clock.now() - head.writtenAt < RENEWED;
  if (isFresh && head.size === size) return { sha256, exists: true };
  const policy = await world.blobs.postPolicy({
    prefix: key,
    maxBytes: size,
    expiresAt: world.clock.now() + GRANT,
    // Whoever hears later that these bytes exist trusts that they are these.
    sha256,
  });
  return { sha256, exists: false, post: { url: policy.url, fields: { ...policy.fields }, key } };
}
