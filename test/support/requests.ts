/** What tests of core ask for, over and over. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { enrollAll } from "./host.ts";
import { ADA, type TestWorld } from "./world.ts";

export const MINUTE = 60_000;

/** The code that a call fails with; `nothing` when it succeeds. */
export const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "nothing",
    error => (error instanceof MusterError ? error.code : error),
  );

export const ref = (clusterId: string) => ({ workspace: "acme", clusterId });

export const clusterRequest = (more = {}) => ({ name: "demo", nodes: 1, resources: {}, shared: false, ...more });

export const jobRequest = (task: TaskInput = {}, more = {}) => ({
  task: Task.parse({ run: "true", ...task }),
  name: undefined,
  priority: 500,
  down: false,
  ...more,
});

export const launchRequest = {
  task: Task.parse({ run: "true" }),
  cluster: "demo",
  shared: false,
  priority: 500,
  down: false,
};

export const stateOf = async (world: TestWorld, id: string) => (await Read.get(world, ADA, id)).state;

/** Ada's cluster `demo`, ready, and its hosts by rank. */
export async function readyCluster(world: TestWorld, more = {}) {
  const { id } = await Create.create(world, ADA, clusterRequest(more));
  await reconcile(world, ref(id));
  return { id, hosts: await enrollAll(world) };
}

export async function stoppedCluster(world: TestWorld) {
  const made = await readyCluster(world, { idle: "never" });
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(made.id));
  return made;
}

/** Minutes in which the sweep comes, and `each` is done before it. */
export async function passing(
  world: TestWorld,
  minutes: number,
  each: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    world.clock.pass(MINUTE);
    await each();
    await sweepDue(world);
  }
}
