/** Jobs that are tried again, begun in a test world. */
import { MusterError } from "@muster/core/error.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import type { TestHost } from "../support/host.ts";
import { jobRequest, readyCluster } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

export type Retry = NonNullable<TaskInput["retry"]>;

export const jobOf = (world: TestWorld, id: string) => Read.get(world, ADA, id);

export async function assigned(host: TestHost | undefined) {
  const [assignment] = (await host?.poll())?.assignments ?? [];
  if (assignment === undefined) throw new Error("the host got nothing to do");
  return assignment;
}

export async function assignedAll(hosts: readonly TestHost[]) {
  const found = [];
  for (const host of hosts) found.push(await assigned(host));
  return found;
}

/** A host whose cluster has ended is known to nobody. */
export function unlessGone(error: unknown): undefined {
  if (!(error instanceof MusterError && error.code === "unauthenticated")) throw error;
}

/** A job on a cluster of its own, begun. */
export async function begun(
  retry: Retry,
  { nodes = 1, task = {} }: { nodes?: number; task?: TaskInput } = {},
  more = {},
) {
  const world = testWorld();
  const cluster = await readyCluster(world, { nodes, idle: "never" });
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes, retry, ...task }, more));
  return { world, clusterId: cluster.id, hosts: cluster.hosts, id };
}

export const events = async (world: TestWorld, id: string) => (await Read.events(world, ADA, id, { limit: 100 })).items;

/** Time in which its pause passes. */
export async function pause(world: TestWorld, ms: number): Promise<void> {
  world.clock.pass(ms);
  await sweepDue(world);
}
