/**
 * How an image moves. What a failed one has left at the provider is deleted while it is `failed`; `removed` is reached only
 * when the provider has nothing of it any more, and nothing can still come of a call for it.
 */
import { lifecycle } from "../lifecycle.ts";

export const life = lifecycle("image", "saving", {
  saving: { saved: "ready", fail: "failed", remove: "removing" },
  ready: { remove: "removing" },
  failed: { remove: "removing" },
  removing: { gone: "removed" },
  removed: {},
});
