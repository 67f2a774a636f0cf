/** Users who keep clusters ready, and launch from them. */
import type { Actor } from "@muster/core/actor/actor.ts";
import { create } from "@muster/core/launch/create.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type { Change } from "@muster/core/pool/info.ts";
import type * as Pool from "@muster/core/pool/pool.ts";
import { remove } from "@muster/core/pool/remove.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { set } from "@muster/core/pool/set.ts";
import { Task } from "@muster/core/task/task.ts";
import { launchBody } from "./bodies.ts";
import { type Accepted, type Nouns, type Request, send } from "./clients.ts";
import type { Made } from "./order.ts";
import type { ProviderName } from "./ports/cloud.ts";
import type { Sim } from "./sim.ts";

type Make = (sim: Sim, accepted: Accepted, actor: Actor) => Made;

const ofNothing = (): Nouns => ({});
const ofLaunch = (answer: unknown): Nouns => {
  const { cluster, job } = answer as Launch.Info;
  return { clusterId: cluster.id, ...(job && { jobId: job.id }) };
};

const poolsOf = (sim: Sim): Pool.Pool[] => [...sim.db.all("pool")].map(item => item.data as unknown as Pool.Pool);

/** One of those that there are, for those who look before they act. */
function someName(sim: Sim, actor: Actor): string {
  const mine = poolsOf(sim).filter(pool => pool.workspace === actor.workspace);
  return mine.length > 0 && sim.rng.chance(0.9) ? sim.rng.pick(mine).name : "warm";
}

export const pools: Readonly<Record<"pool" | "take" | "resize" | "drop", Make>> = {
  pool: (sim, _, actor) => {
    const body = poolBody(sim);
    const name = `${sim.rng.pick(["warm", "hot"])}-${actor.id}`;
    return { run: (world, by) => set(world, by, name, body), nouns: ofNothing };
  },
  take: (sim, _, actor) => {
    const { cluster, ...body } = launchBody(sim);
    const { nodes, run, secrets, resources } = body.task;
    const task = { ...body.task, nodes: sim.rng.chance(0.9) ? 1 : nodes, run, secrets };
    const { provider: __, ...needs } = resources;
    const pool = someName(sim, actor);
    const asked: Launch.Create = {
      ...body,
      pool,
      task: { ...task, resources: needs },
      ...(cluster !== undefined && sim.rng.chance(0.4) && { cluster }),
      ...(sim.rng.chance(0.2) && { maxLifetime: 30 }),
    };
    return { run: (world, by) => create(world, by, asked), nouns: ofLaunch };
  },
  resize: (sim, _, actor) => {
    const name = someName(sim, actor);
    const size = sim.rng.between(0, 3);
    return { run: (world, by) => resize(world, by, name, { size }), nouns: ofNothing };
  },
  drop: (sim, _, actor) => {
    const name = someName(sim, actor);
    return { run: (world, by) => remove(world, by, name), nouns: ofNothing };
  },
};

function poolBody(sim: Sim): Change {
  const provider = sim.rng.weighted<ProviderName>({ steel: 3, spark: 1 });
  const task = Task.parse({
    nodes: sim.rng.pick([1, 1, 2]),
    resources: { provider },
    // A machine of the simulation does the same whatever it is told; the pool's members are others for it.
    ...(sim.rng.chance(0.8) && { setup: sim.rng.pick(["make", "make other"]) }),
  });
  return {
    size: sim.rng.between(0, 3),
    sizes: sim.rng.chance(0.3) ? [{ cron: "*/7 * * * *", timeZone: "UTC", size: sim.rng.between(0, 3) }] : [],
    keep: provider === "steel" && sim.rng.chance(0.6) ? "stopped" : "running",
    launch: { task, shared: sim.rng.chance(0.7), priority: 500, down: false },
  };
}

/** Pools that are not what they are to be, though nothing is in their way. */
export const unfilled = (sim: Sim): string[] =>
  poolsOf(sim)
    .filter(pool => pool.leaving || (pool.ready !== pool.size && !isPoor(pool)))
    .map(pool => `pool ${pool.name} keeps ${pool.size}, and has ${pool.ready} ready`);

/** What its workspace cannot pay, it does without. */
const isPoor = ({ failures, setback }: Pool.Pool): boolean => failures > 0 && setback?.code === "over_budget";

/** Nothing more is kept ready. */
export async function endPools(sim: Sim, accepted: Accepted): Promise<void> {
  for (const { workspace, name } of poolsOf(sim))
    await each(sim, accepted, workspace, "last pool", (world, by) => remove(world, by, name));
}

async function each(sim: Sim, accepted: Accepted, workspace: string, name: string, run: Request["run"]): Promise<void> {
  const actor: Actor = { workspace, id: "usr_ada", role: "admin" };
  await send(sim, accepted, { name: `${workspace} ${name}`, actor, run, nouns: ofNothing }, 100);
}

/** Pools that should have gone. */
export const kept = (sim: Sim): string[] => poolsOf(sim).map(({ name }) => `pool ${name} is there`);
