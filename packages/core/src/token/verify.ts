/** Checking a token, with every request. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import { noun } from "./token.ts";

/** @throws MusterError `unauthenticated`: the same words for unknown and forged; an expired one is told so, once proved. */
export async function verify(
  world: Pick<Basics, "table" | "clock"> & { readonly digest: Digest },
  authorization: string | undefined,
): Promise<Actor> {
  const match = /^Bearer mst_(tok_[0-9A-HJKMNP-TV-Z]{26})_([0-9a-f]{64})$/.exec(authorization ?? "");
  const token = match?.[1] === undefined ? undefined : await load(world.table, noun, Keys.token(match[1]));
  if (token === undefined || !world.digest.same(world.digest.hash(match?.[2] ?? ""), token.hash))
    throw new MusterError("unauthenticated", "a valid token is needed", { hint: "send Authorization: Bearer mst_…" });
  if (token.expiresAt !== undefined && token.expiresAt <= world.clock.now())
    throw new MusterError("unauthenticated", "this token has expired", { hint: "ask for a new one" });
  return { workspace: token.workspace, id: token.actor, role: token.role };
}
