/** Checking a token, with every request. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import { noun } from "./stored.ts";

const DAY = 24 * 3_600_000;

/**
 * @param beside is given the write that notes the token's first use of a day: nobody has to wait for it, and it may fail.
 * @throws MusterError `unauthenticated`: the same words for a token that is unknown, forged, revoked or expired.
 */
export async function verify(
  world: Pick<Basics, "table" | "clock"> & { readonly digest: Digest },
  authorization: string | undefined,
  beside?: (work: Promise<void>) => void,
): Promise<Actor> {
  const match = /^Bearer mst_(tok_[0-9A-HJKMNP-TV-Z]{26})_([0-9a-f]{64})$/.exec(authorization ?? "");
  const token = match?.[1] === undefined ? undefined : await load(world.table, noun, Keys.token(match[1]));
  const now = world.clock.now();
  const isRight = token !== undefined && world.digest.same(world.digest.hash(match?.[2] ?? ""), token.hash);
  if (!isRight || (token.expiresAt ?? Infinity) <= now)
    throw new MusterError("unauthenticated", "a valid token is needed", { hint: "send Authorization: Bearer mst_…" });
  const today = now - (now % DAY);
  if ((token.lastUsedAt ?? 0) < today) beside?.(world.table.write([amend(noun, token, { lastUsedAt: today }).write]));
  const { id, workspace, actor, role, origin } = token;
  return { workspace, id: actor, role, via: { token: id, ...(origin !== undefined && { origin }) } };
}
