/** Managed jobs in a test world, and what befalls their machines. */
import * as Clusters from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { moved } from "@muster/core/host/heard.ts";
import * as Host from "@muster/core/host/host.ts";
import { note } from "@muster/core/host/notice.ts";
import * as Read from "@muster/core/job/read.ts";
import * as Keys from "@muster/core/keys.ts";
import { create } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { load } from "@muster/core/record.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { enrollAll, type TestHost } from "../support/host.ts";
import { passing, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

export const request = (task: TaskInput = {}, more = {}) =>
  Launch.Create.parse({ task: { run: "true", ...task }, managed: true, ...more });

export const jobOf = (world: TestWorld, id: string) => Read.get(world, ADA, id);
export const clusterOf = (world: TestWorld, id: string) => Clusters.get(world, ADA, id);
export const budgetOf = async (world: TestWorld) => (await world.table.get(Keys.budget("acme")))?.data.taken;

export async function assigned(host: TestHost | undefined) {
  const [assignment] = (await host?.poll())?.assignments ?? [];
  if (assignment === undefined) throw new Error("the host got nothing to do");
  return assignment;
}

export async function launched(task: TaskInput = {}, world = testWorld()) {
  const { cluster, job } = await create(world, ADA, request(task));
  const ids = { clusterId: cluster.id, id: job?.id ?? "" };
  await reconcile(world, ref(cluster.id));
  return { world, ...ids };
}

/** Its hosts are up, and its job runs on all of them. */
export async function runs({ world, id }: { world: TestWorld; id: string }) {
  const hosts = await enrollAll(world);
  const refs: { jobId: string; fence: number }[] = [];
  for (const host of hosts) {
    const { fence } = await assigned(host);
    await host.report({ jobId: id, fence, state: "running" });
    refs.push({ jobId: id, fence });
  }
  return { hosts, refs };
}

export const machineOf = (world: TestWorld, rank: number) =>
  [...world.provider.machines.values()].find(({ hostId }) => hostId.endsWith(`_${rank}`))?.machineId ?? "";

/** The cloud says that a machine is gone, and shows it. */
export async function lose(world: TestWorld, clusterId: string, rank = 0, isTaken = false) {
  const host = await load(world.table, Host.noun, Keys.host("acme", clusterId, rank));
  if (isTaken && host) await note(world, host, "interruption");
  const machineId = machineOf(world, rank);
  world.provider.machines.delete(machineId);
  await moved(world, machineId);
}

/** Passes time until the cluster is in this state. @returns minutes */
export async function until(world: TestWorld, clusterId: string, state: string): Promise<number> {
  for (let minute = 0; minute < 60; minute++) {
    if ((await clusterOf(world, clusterId)).state === state) return minute;
    await passing(world, 1);
  }
  throw new Error(`the cluster is not ${state} after an hour`);
}
