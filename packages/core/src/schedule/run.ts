/** Launching what a schedule launches, now, whatever its times and whether its last job goes on. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import { create } from "../launch/create.ts";
import type * as Launch from "../launch/launch.ts";
import type { Edge } from "../ports/world.ts";
import { launchOf, taken } from "./fire.ts";
import * as Schedule from "./schedule.ts";

const changed = (name: string): MusterError =>
  new MusterError("conflict", `schedule '${name}' was changed just now`, {
    hint: `see what it is now, and run it again: muster schedule get ${name}`,
  });

/** In its owner's name. @throws MusterError `not_found`, `forbidden`, `conflict` when it changes meanwhile, and what a launch throws. */
export async function run(world: Edge, actor: Actor, name: string): Promise<Launch.Info> {
  const schedule = await Schedule.get(world.table, actor.workspace, name);
  Schedule.requireControl(actor, schedule);
  const launch = await launchOf(world, schedule);
  return create(world, { ...actor, id: schedule.owner }, launch, async launched => {
    const now = await Schedule.get(world.table, actor.workspace, name);
    // It would launch what one has set in the name of another.
    if (now.changedAt !== schedule.changedAt || now.owner !== schedule.owner) throw changed(name);
    return taken(world, actor, now, world.clock.now(), launched, {});
  });
}
