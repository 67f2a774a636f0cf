/** Revoking a token: from then on nobody is let in by it. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import * as Token from "./token.ts";

/** @throws MusterError `not_found`, the same for another workspace's token as for none. */
export const revoke = (world: Basics, actor: Actor, id: string): Promise<Token.Info> =>
  retrying(async () => {
    const token = await load(world.table, Token.noun, Keys.token(id));
    if (token?.workspace !== actor.workspace)
      throw new MusterError("not_found", `there is no token '${id}'`, { hint: "see them with: muster tokens list" });
    const event = Event.draft(Keys.token(id), {
      id: Id.create(world.random, "event"),
      at: world.clock.now(),
      subject: id,
      kind: "token.revoked",
      actor: actor.id,
    });
    const answer = Token.Info.parse(token);
    const remove = { remove: Keys.token(id), expect: token.version };
    await commit(world, actor, [remove, { put: event, expect: "absent" }], answer);
    return answer;
  });
