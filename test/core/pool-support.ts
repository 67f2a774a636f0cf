/** What tests of pools share: a pool of Ada's, and machines that do what they are told. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Keys from "@muster/core/keys.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type * as Pool from "@muster/core/pool/info.ts";
import { membersOf } from "@muster/core/pool/member.ts";
import { get } from "@muster/core/pool/read.ts";
import { set } from "@muster/core/pool/set.ts";
import { glimpse } from "@muster/core/record.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { create as createToken } from "@muster/core/token/create.ts";
import { enrollAll, FACTS, type TestHost } from "../support/host.ts";
import { launchRequest } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, type TestWorld } from "../support/world.ts";

export const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;

const { cluster: _, ...unnamed } = launchRequest;

/** A launch without a name. */
export const launch = (more: Partial<Launch.Create> = {}, task: TaskInput = { run: "true" }): Launch.Create => ({
  ...unnamed,
  task: Task.parse(task),
  ...more,
});

/** Two clusters of one host, prepared and stopped. */
export const request = (more: Partial<Pool.Change> = {}, task: TaskInput = { setup: "make" }): Pool.Change => ({
  size: 2,
  sizes: [],
  keep: "stopped",
  launch: launch({}, task),
  ...more,
});

/** Ada's pool `warm`, set and rung for; its machines have still to call. */
export async function pooled(world: TestWorld, more: Partial<Pool.Change> = {}, task?: TaskInput): Promise<Pool.Info> {
  await createToken(world, ADMIN, { actor: "usr_ada", role: "member" });
  const info = await set(world, ADA, "warm", request(more, task));
  await ringAll(world);
  return info;
}

const served = new WeakMap<TestWorld, { count: number; readonly hosts: TestHost[] }>();

/** Machines that were launched call home, and run what they are given to its end. */
export async function serve(world: TestWorld, exitCode = 0): Promise<void> {
  const known = served.get(world) ?? { count: 0, hosts: [] };
  served.set(world, known);
  for (let isBusy = true; isBusy; ) {
    await ringAll(world);
    isBusy = known.count < world.provider.intents.length;
    for (const intent of world.provider.intents.slice(known.count))
      known.hosts.push(...(await enrollAll(world, FACTS, intent)));
    known.count = world.provider.intents.length;
    await ringAll(world);
    for (const host of known.hosts) isBusy = (await runAll(host, exitCode)) || isBusy;
  }
}

/** One whose machine is gone or asleep has nothing to do. */
async function runAll(host: TestHost, exitCode: number): Promise<boolean> {
  const orders = await host.poll().catch(() => undefined);
  for (const assignment of orders?.assignments ?? []) await host.run(assignment, exitCode);
  return (orders?.assignments.length ?? 0) > 0;
}

export const clusters = async (world: TestWorld): Promise<Cluster.Cluster[]> => {
  const { pk } = Keys.list("acme", "cluster", "");
  const { items } = await world.table.query({ pk, index: "list", limit: 1000 });
  return items.map(item => glimpse(Cluster.noun, item));
};

/** Those that have not ended, and are not on their way there. */
export const living = async (world: TestWorld): Promise<Cluster.Cluster[]> =>
  (await clusters(world)).filter(cluster => !Cluster.isLeaving(cluster));

export const states = async (world: TestWorld): Promise<string[]> => (await living(world)).map(({ state }) => state);

export const details = (world: TestWorld): Promise<Pool.Details> => get(world, ADA, "warm");

/**
 * What must hold of a pool and what was taken from it: each cluster that says it is the pool's has its item, and each item its
 * cluster; and there are no more members than there may be.
 */
export async function amiss(world: TestWorld, most: number): Promise<string[]> {
  const members = await membersOf(world.table, { workspace: "acme", name: "warm" });
  const known = new Set(members.map(({ clusterId }) => clusterId));
  const mine = (await living(world)).filter(({ pool }) => pool !== undefined);
  return [
    ...mine.filter(({ id }) => !known.has(id)).map(({ id }) => `${id} is nobody's`),
    ...(members.length > most ? [`${members.length} members of ${most}`] : []),
  ];
}
