/** What users do: mixes of requests, each mix hard on something else. */
import type { Actor, Role } from "@muster/core/actor/actor.ts";
import { cancel } from "@muster/core/array/control.ts";
import * as Change from "@muster/core/cluster/change.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { create as createCluster } from "@muster/core/cluster/create.ts";
import { jobNodes } from "@muster/core/cluster/group.ts";
import type * as Job from "@muster/core/job/job.ts";
import { logs } from "@muster/core/job/logs.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create } from "@muster/core/launch/create.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { growingOne, launchBody, managedBody, oneIn, someCluster, someIdle, someJob, task, upBody } from "./bodies.ts";
import { type Accepted, type Nouns, type Request, send } from "./clients.ts";
import { holding } from "./holding.ts";
import { MINUTE, SECOND } from "./kernel.ts";
import { lookAfter, someRun, startLooks } from "./looks.ts";
import { many } from "./many.ts";
import { DRAWN, type Mix, mixes, type Verb } from "./mixes.ts";
import { giveTokens, type Made, ofJob, order } from "./order.ts";
import { pools } from "./pools.ts";
import type { Sim } from "./sim.ts";

export const WORKSPACES = ["acme", "bolt"] as const;

/** What these are about needs several steps, one after the other, before the run closes. */
const HURRIED: ReadonlySet<Mix> = new Set(["moves", "power"]);

/** Lets users act until the run closes to them. */
export function startUsers(sim: Sim, accepted: Accepted): void {
  giveTokens(sim, WORKSPACES, everyone);
  const drawn = sim.rng.pick(DRAWN);
  const name = sim.mix ?? drawn;
  const mix = mixes[name];
  const pace = sim.rng.between(5, HURRIED.has(name) ? 20 : 90) * SECOND;
  const only = (verb: Verb) => {
    if (sim.isOpen) void send(sim, accepted, request(sim, accepted, verb));
  };
  const act = (verb: Verb) => {
    if (!sim.isOpen) return;
    only(verb);
    // Whoever wants more hosts has work for them.
    if (verb === "submit" && sim.rng.chance(0.2))
      sim.kernel.at(sim.rng.int(2 * SECOND), "a user changes their mind", () => only("stop"));
    if (verb === "up" && sim.rng.chance(0.2))
      sim.kernel.at(sim.rng.int(MINUTE), "a user changes their mind", () => only("down"));
    if (verb === "up") sim.kernel.at(sim.rng.int(MINUTE), "a user counts on it", () => act("submit"));
    else sim.kernel.at(sim.rng.int(2 * pace), "a user acts", () => act(sim.rng.weighted<Verb>(mix)));
  };
  sim.kernel.at(sim.rng.int(5 * SECOND), "a user acts", () => act("launch"));
  startLooks(sim, accepted, () => somebody(sim));
}

const everyone: readonly (readonly [id: string, role: Role])[] = [
  ["usr_ada", "admin"],
  ["usr_bob", "member"],
];

function somebody(sim: Sim): Actor {
  const [id, role] = sim.rng.pick(everyone);
  return { workspace: sim.rng.pick(WORKSPACES), id, role };
}

function request(sim: Sim, accepted: Accepted, verb: Verb): Request {
  const key = sim.rng.hex(32);
  const actor: Actor = { ...somebody(sim), claim: { key, request: key } };
  const { run, nouns } = verbs[verb](sim, accepted, actor);
  if (ENDING.has(verb)) sim.faults.meet("userEnds");
  return {
    name: `${actor.workspace} ${verb}`,
    actor,
    run,
    nouns: answer => lookAfter(sim, accepted, actor, nouns(answer)),
    ends: verb === "cancel" || verb === "down",
  };
}

const ENDING: ReadonlySet<Verb> = new Set(["cancel", "down", "stop", "drop"]);

const verbs: Readonly<Record<Verb, (sim: Sim, accepted: Accepted, actor: Actor) => Made>> = {
  launch: sim => {
    const body = launchBody(sim);
    return { run: (world, actor) => create(world, actor, body), nouns: ofLaunch };
  },
  managed: sim => {
    const body = managedBody(sim);
    return { run: (world, actor) => create(world, actor, body), nouns: ofLaunch };
  },
  up: (sim, _, actor) => {
    const body = upBody(sim, actor);
    return { run: (world, actor) => createCluster(world, actor, body), nouns: ofCluster };
  },
  submit: (sim, accepted, actor) => {
    const growing = growingOne(sim, actor);
    const reference = growing?.id ?? someCluster(sim, accepted, actor);
    const body: Job.Submit = {
      task: task(sim, growing === undefined ? 1 : jobNodes(growing)),
      name: undefined,
      priority: sim.rng.pick([500, 500, 900]),
      down: sim.rng.chance(0.1),
      ...(sim.rng.chance(0.05) && { force: true }),
      ...(sim.rng.chance(0.05) && { onBusy: "fail" }),
    };
    return { run: (world, by) => submit(world, by, reference, body), nouns: ofJob };
  },
  cancel: (sim, accepted, actor) => {
    const id = someRun(sim, actor, someJob(sim, accepted, actor), 0.3);
    return { run: (world, by) => cancel(world, by, id), nouns: ofJob };
  },
  // Some change their mind while it comes up.
  down: (sim, accepted, actor) =>
    onCluster(sim, accepted, actor, Change.remove, sim.rng.chance(0.5) ? "launching" : undefined),
  stop: (sim, accepted, actor) =>
    onCluster(sim, accepted, actor, Change.stop, sim.rng.pick(["starting", "booting", "ready", "ready"])),
  start: (sim, accepted, actor) => onCluster(sim, accepted, actor, Change.start, "stopped"),
  move: (sim, accepted, actor) => onCluster(sim, accepted, actor, moved, "stopped"),
  autostop: (sim, accepted, actor) => {
    const idle = someIdle(sim) ?? "never";
    return onCluster(sim, accepted, actor, (world, by, reference) => Change.autostop(world, by, reference, idle));
  },
  ...order,
  ...pools,
  ...holding,
  many,
  follow: (sim, accepted, actor) => {
    const id = someJob(sim, accepted, actor);
    return { run: (world, by) => logs(world, by, id, { follow: true }), nouns: () => ({}) };
  },
};

const moved: OnCluster = (world, by, reference) => Change.start(world, by, reference, { move: true });

type OnCluster = (
  world: Parameters<Made["run"]>[0],
  actor: Actor,
  reference: string,
) => Promise<Pick<Cluster.Info, "id">>;

function onCluster(sim: Sim, accepted: Accepted, actor: Actor, change: OnCluster, state?: Cluster.State): Made {
  const reference = (state && oneIn(sim, actor, state)) ?? someCluster(sim, accepted, actor);
  return { run: (world, by) => change(world, by, reference), nouns: ofCluster };
}

const ofCluster = (answer: unknown): Nouns => ({ clusterId: (answer as Cluster.Info).id });
const ofLaunch = (answer: unknown): Nouns => {
  const { cluster, job } = answer as Launch.Info;
  return { clusterId: cluster.id, ...(job && { jobId: job.id }) };
};

/** Everything that is left is taken down, by somebody who may. */
export async function removeAll(sim: Sim, accepted: Accepted): Promise<void> {
  for (const item of sim.db.all("cluster")) {
    const { workspace, id } = item.data as unknown as Cluster.Cluster;
    const actor: Actor = { workspace, id: "usr_ada", role: "admin" };
    const name = `${workspace} last down`;
    void send(sim, accepted, { name, actor, run: (world, by) => Change.remove(world, by, id), nouns: ofCluster }, 100);
  }
  await sim.kernel.sleep(MINUTE, "all are told to go");
}
