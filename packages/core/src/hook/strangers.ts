/** Code of strangers: nothing of it is run until a maintainer has approved of that very commit. */
import { isApproved, reasonOf } from "../approval/require.ts";
import { MusterError } from "../error.ts";
import type { Outside } from "../ports/world.ts";
import type { Facts } from "./facts.ts";
import { originOf } from "./forge.ts";
import type { Hook } from "./hook.ts";

/**
 * Why what the event is about may not be run now; undefined when it may.
 * @throws MusterError `invalid_request` where nobody could ever approve of it: it names no commit.
 */
export async function heldBecause(
  world: Pick<Outside, "table">,
  hook: Hook,
  facts: Facts,
): Promise<string | undefined> {
  if (!facts.isForeign) return undefined;
  const origin = originOf(hook, facts);
  if (origin === undefined)
    throw new MusterError("invalid_request", "it may be a stranger's, and names no commit that could be approved of");
  return (await isApproved(world, hook, origin)) ? undefined : reasonOf(origin);
}
