/** Users who look: at what they have just asked for, and again and again at what there is. */
import type { Actor } from "@muster/core/actor/actor.ts";
import * as JobArray from "@muster/core/array/array.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import * as Id from "@muster/core/id.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { why } from "@muster/core/job/why.ts";
import { someCluster, someJob } from "./bodies.ts";
import { type Accepted, type Nouns, type Request, send } from "./clients.ts";
import { arrayOf } from "./invariants/arrays.ts";
import { QUIET, SECOND } from "./kernel.ts";
import type { Sim } from "./sim.ts";

/** Of an array, now and then one of its runs instead: mostly one that is about to begin, or just has. */
export function someRun(sim: Sim, { workspace }: Actor, id: string, chance: number): string {
  const array = arrayOf(sim, workspace, id);
  if (array === undefined || !sim.rng.chance(chance)) return id;
  const { next, count } = array;
  const isSoon = !JobArray.isOver(array) && sim.rng.chance(0.7);
  const index = isSoon ? next + sim.rng.between(-1, 1) : sim.rng.int(count);
  return Id.runOf(id, Math.min(Math.max(index, 0), count - 1));
}

/** A read is sent as any request is, under no claim. Reads do not count as steps. */
function look(sim: Sim, accepted: Accepted, actor: Actor, looksAt: string): void {
  const { claim: _, ...by } = actor;
  const jobs = sim.rng.chance(0.2) ? why : Jobs.get;
  const get = Id.is("job", looksAt) ? jobs : Clusters.get;
  const request: Request = {
    name: `${QUIET}${actor.workspace} look`,
    actor: by,
    run: (world, reader) => get(world, reader, looksAt),
    nouns: () => ({}),
    looksAt,
  };
  void send(sim, accepted, request);
}

/** At one thing several times in a row, as whoever waits for it does: some do not wait for the last answer. */
function poll(sim: Sim, accepted: Accepted, actor: Actor, looksAt: string, times: number): void {
  for (let turn = 0; turn < times; turn++)
    sim.kernel.at(turn * SECOND + sim.rng.int(3 * SECOND), `${QUIET}a user looks`, () =>
      look(sim, accepted, actor, looksAt),
    );
}

/** Who was told that something is to happen looks whether it does. */
export function lookAfter(sim: Sim, accepted: Accepted, actor: Actor, nouns: Nouns): Nouns {
  for (const id of [nouns.clusterId, nouns.jobId])
    if (id !== undefined && sim.isOpen && sim.rng.chance(0.4))
      poll(sim, accepted, actor, someRun(sim, actor, id, 0.7), sim.rng.between(1, 3));
  return nouns;
}

/** @param reader who looks next */
export function startLooks(sim: Sim, accepted: Accepted, reader: () => Actor): void {
  const pace = sim.rng.between(5, 40) * SECOND;
  const turn = () => {
    if (!sim.isOpen) return;
    const actor = reader();
    const looksAt = sim.rng.chance(0.6)
      ? someRun(sim, actor, someJob(sim, accepted, actor), 0.6)
      : someCluster(sim, accepted, actor);
    poll(sim, accepted, actor, looksAt, sim.rng.between(1, 4));
    sim.kernel.at(sim.rng.int(2 * pace), `${QUIET}a user looks around`, turn);
  };
  sim.kernel.at(sim.rng.int(2 * pace), `${QUIET}a user looks around`, turn);
}
