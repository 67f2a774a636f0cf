/** One rule's launch: in the transaction that writes down that it was launched. */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { byName } from "../cluster/find.ts";
import { Replay } from "../commit.ts";
import { MusterError } from "../error.ts";
import { create } from "../launch/create.ts";
import { edgeOf, inNameOf } from "../launch/in-name-of.ts";
import type * as Launch from "../launch/launch.ts";
import type { Write } from "../ports/table.ts";
import type { Outside } from "../ports/world.ts";
import { amend } from "../record.ts";
import { open } from "../report/open.ts";
import * as Delivery from "./delivery.ts";
import type { Facts } from "./facts.ts";
import { originOf } from "./forge.ts";
import type { Hook } from "./hook.ts";
import { launchOf } from "./launch.ts";
import { takePlace } from "./older.ts";
import type { Rule } from "./rules.ts";
import { valuesOf } from "./values.ts";

/** Somebody else has gone on with the delivery meanwhile. */
export class Moved extends Error {}

export interface Launching {
  readonly hook: Hook;
  readonly rule: Rule;
  /** What it is called. */
  readonly title: string;
  /** Its place among the rules. */
  readonly index: number;
  readonly facts: Facts;
  /** Of the rules before it. */
  readonly results: readonly Delivery.Result[];
  /** Of the delivery. */
  readonly id: string;
  readonly round: number;
  readonly readFile: (at: string, path: string) => Promise<string>;
}

type Result = Omit<Delivery.Result, "rule">;

/** @throws MusterError as a launch does; `unavailable` where a cluster of that name is just leaving; Moved */
export async function launchByRule(world: Outside, launching: Launching): Promise<Result> {
  const { hook, rule, facts, id } = launching;
  const actor = await inNameOf(world, hook, `hook '${hook.name}' launches`);
  const values = valuesOf(hook, { id }, facts);
  const launch = await launchOf(world, { hook, rule, facts, values, readFile: launching.readFile });
  let result: Result | undefined;
  try {
    await create(edgeOf(world, "a hook"), actorOf(world, actor, launching), launch, async launched => {
      const done = await launchedBy(world, launching, launch, launched);
      result = done.result;
      return done.writes;
    });
  } catch (error) {
    // The same launch was made by whoever was quicker, and is written down with it.
    if (error instanceof Replay) throw new Moved();
    throw await orLater(world, hook, launch, error);
  }
  if (result === undefined) throw new Moved();
  return result;
}

/** One launch for each rule of a delivery, however often somebody tries. */
function actorOf({ digest }: Outside, actor: Actor, { hook, id, round, index }: Launching): Actor {
  const request = `hook ${id} ${round} ${index}`;
  return { ...actor, via: { origin: `hook ${hook.id}` }, claim: { key: digest.hash(request), request } };
}

/** What is written with the launch. @throws Moved, Outdated: then nothing is launched */
async function launchedBy(
  world: Outside,
  { hook, rule, title, facts, results, id, round }: Launching,
  launch: Launch.Create,
  launched: Launch.Info,
): Promise<{ result: Result; writes: Write[] }> {
  const delivery = await Delivery.find(world.table, hook.workspace, id);
  const isMine =
    delivery?.outcome === undefined && delivery?.round === round && delivery.results.length <= results.length;
  if (delivery === undefined || !isMine) throw new Moved();
  const isOwn = launch.cluster === undefined;
  const { replaces, writes } = rule.cancelOlder
    ? await takePlace(world, { delivery, facts, rule: title }, launched, isOwn)
    : { writes: [] };
  const { cluster, job } = launched;
  const result: Result = {
    ...{ outcome: "launched", clusterId: cluster.id, clusterName: cluster.name },
    ...(job && { jobId: job.id }),
    ...(replaces && { replaces }),
  };
  const { write } = amend<Delivery.Delivery>(Delivery.noun, delivery, {
    results: [...results, { rule: title, ...result }],
    changedAt: world.clock.now(),
  });
  const origin = originOf(hook, facts);
  const about = origin && { workspace: hook.workspace, hook, rule: title, origin, at: delivery.createdAt };
  return { result, writes: [write, ...writes, ...(about ? await open(world, about, launched) : [])] };
}

/** Its name still stands for a cluster that is on its way out: a matter of minutes. */
async function orLater(world: Outside, hook: Hook, launch: Launch.Create, error: unknown): Promise<unknown> {
  const isTaken = error instanceof MusterError && (error.code === "conflict" || error.code === "name_taken");
  if (!isTaken || launch.cluster === undefined) return error;
  const cluster = await byName(world.table, hook.workspace, launch.cluster);
  if (cluster === undefined || !Cluster.isLeaving(cluster)) return error;
  return new MusterError("unavailable", `cluster '${cluster.name}' of before has not ended`, {}, error);
}
