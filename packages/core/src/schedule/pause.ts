/** Pausing a schedule, and letting it go on. Each may be said twice. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import { timeToCome } from "./next.ts";
import * as Schedule from "./schedule.ts";

/** Times that come while it is paused are nobody's. @throws MusterError `not_found`, `forbidden`. */
export const pause = (world: Basics, actor: Actor, name: string): Promise<Schedule.Info> =>
  turn(world, actor, name, true);

/** @throws MusterError `not_found`, `forbidden`. */
export const resume = (world: Basics, actor: Actor, name: string): Promise<Schedule.Info> =>
  turn(world, actor, name, false);

const turn = (world: Basics, actor: Actor, name: string, paused: boolean): Promise<Schedule.Info> =>
  retrying(async () => {
    const known = await Schedule.get(world.table, actor.workspace, name);
    Schedule.requireControl(actor, known);
    if (known.paused === paused) return settled(world, actor, Schedule.Info.parse(known));
    const now = world.clock.now();
    const nextAt = paused ? undefined : timeToCome(known, known.last, now);
    const patch = { paused, nextAt, dueAt: nextAt, owed: undefined, changedAt: now };
    const { next, write } = amend(Schedule.noun, known, patch);
    const info = Schedule.Info.parse(next);
    const event = Schedule.eventOf(world, actor, next, paused ? "paused" : "resumed");
    await commit(world, actor, [write, event], info);
    return info;
  });

async function settled(world: Basics, actor: Actor, info: Schedule.Info): Promise<Schedule.Info> {
  await commit(world, actor, [], info);
  return info;
}
