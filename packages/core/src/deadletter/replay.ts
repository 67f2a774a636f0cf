/**
 * Trying a dead letter anew: the write says that somebody wants it, and rings. When it is done the letter goes; when it fails
 * three times more the letter says so. To ask twice does no harm: what rings may be answered twice.
 */
import type { Actor, By } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Stored } from "../record.ts";
import * as DeadLetter from "./deadletter.ts";

/** @throws MusterError `not_found`; `unsupported` for what comes again by itself. */
export const replay = (world: Basics, actor: Actor, id: string): Promise<DeadLetter.Info> =>
  retrying(async () => {
    const before = await DeadLetter.get(world.table, actor.workspace, id);
    if (before.ring === undefined)
      throw new MusterError("unsupported", `'${before.what}' is not tried anew: it comes again by itself`, {
        hint: `when it has been seen to: muster deadletters drop ${id}`,
      });
    const letter = { ...plain(before), replayedAt: world.clock.now(), replayedBy: actor.id };
    const answer = DeadLetter.info(letter);
    const writes = [DeadLetter.written(letter, before), eventOf(world, actor, letter, "replayed")];
    await commit(world, actor, writes, answer);
    return answer;
  });

/** Forgets it: it is not tried anew. @throws MusterError `not_found`. */
export const drop = (world: Basics, actor: Actor, id: string): Promise<DeadLetter.Info> =>
  retrying(async () => {
    const before = await DeadLetter.get(world.table, actor.workspace, id);
    const answer = DeadLetter.info(before);
    const remove = { remove: DeadLetter.noun.key(before), expect: before.version };
    await commit(world, actor, [remove, eventOf(world, actor, before, "dropped")], answer);
    return answer;
  });

/** The letter goes; that somebody saw to it stays. */
const eventOf = (world: Basics, by: By, letter: DeadLetter.DeadLetter, what: "replayed" | "dropped"): Write =>
  Event.happens(world, DeadLetter.noun.key(letter), by, {
    subject: letter.id,
    kind: `deadletter.${what}`,
    message: letter.what,
  });

/** The ring of a letter that is tried anew: the letter goes when it is done. @param answer does what it says */
export async function goOn(
  world: Pick<Basics, "table">,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  answer: (ring: Readonly<Record<string, unknown>>) => Promise<void>,
): Promise<void> {
  const key = Keys.deadLetter(workspace, id);
  const letter = await load(world.table, DeadLetter.noun, key);
  if (letter?.ring === undefined || letter.replayedAt === undefined) return;
  await answer(letter.ring);
  await retrying(async () => {
    const now = await load(world.table, DeadLetter.noun, key);
    // It may have failed anew meanwhile, by another ring.
    if (now?.replayedAt !== undefined && now.lastAt === letter.lastAt)
      await world.table.write([{ remove: key, expect: now.version }]);
  });
}

function plain({ version: _, rest: __, ...letter }: Stored<DeadLetter.DeadLetter>): DeadLetter.DeadLetter {
  return letter;
}
