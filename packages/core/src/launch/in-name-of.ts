/** Launches in the name of somebody who is not there: of a schedule's owner, or of a pool's. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import type { SecretsKeeper } from "../ports/secrets.ts";
import type { Edge, Facing, World } from "../ports/world.ts";
import { roleOf } from "../token/role.ts";

/**
 * The owner, with what they may do now.
 * @param does what is done in their name, as the end of a sentence
 * @throws MusterError `forbidden`
 */
export async function inNameOf(
  world: Pick<World, "table" | "clock">,
  { workspace, owner }: { readonly workspace: string; readonly owner: string },
  does: string,
): Promise<Actor> {
  const role = await roleOf(world, workspace, owner);
  if (role !== undefined && role !== "viewer") return { workspace, id: owner, role };
  const why = role === undefined ? "has no token any more" : "may launch nothing any more";
  throw new MusterError("forbidden", `${owner}, in whose name ${does}, ${why}`);
}

/** The world of a launch that has no secrets of its own: nothing is kept for it. @param what brings it, such as a pool */
export const edgeOf = (world: Facing & { readonly secrets: Pick<SecretsKeeper, "forget"> }, what: string): Edge => ({
  ...world,
  secrets: {
    forget: ref => world.secrets.forget(ref),
    keep: () => Promise.reject(new MusterError("internal", `${what} has no secrets to keep`)),
  },
});
