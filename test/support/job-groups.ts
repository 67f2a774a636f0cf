/** Job groups, for tests of core: a trainer and a server beside it, and their hosts. */
import { reconcile as reconcileCluster } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Read from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { create } from "@muster/core/jobgroup/create.ts";
import * as JobGroup from "@muster/core/jobgroup/jobgroup.ts";
import { get } from "@muster/core/jobgroup/read.ts";
import { enrollGroups } from "./groups.ts";
import type { TestHost } from "./host.ts";
import { ref } from "./requests.ts";
import { ADA, type TestWorld } from "./world.ts";

export const task = (name: string, more: object = {}) => ({ run: "true", name, ...more });
export const TRAINER = { task: task("trainer", { nodes: 2 }) };
export const SERVER = { task: task("server"), primary: false };

export const groupRequest = (tasks: readonly unknown[] = [TRAINER, SERVER], more: object = {}) =>
  JobGroup.Create.parse({ name: "both", tasks, cluster: "demo", ...more });

/** A job group whose tasks have all begun, with the hosts of each by its name. */
export async function runningGroup(world: TestWorld, tasks?: readonly unknown[], more?: object) {
  const { group, cluster, jobs } = await create(world, ADA, groupRequest(tasks, more));
  await reconcileCluster(world, ref(cluster.id));
  const hosts = await enrollGroups(world);
  await schedule(world, ref(cluster.id));
  const byTask = new Map<string, { jobId: string; hosts: TestHost[] }>();
  for (const job of jobs) {
    const { placement = [] } = await Read.get(world, ADA, job.id);
    byTask.set(job.name ?? "", { jobId: job.id, hosts: placement.flatMap(rank => hosts[rank] ?? []) });
  }
  const of = (name: string) => byTask.get(name) ?? { jobId: "", hosts: [] };
  return { id: group.id, clusterId: cluster.id, jobs, of };
}
type Running = Awaited<ReturnType<typeof runningGroup>>;

/** All nodes of a task get their parts, and end with this exit code. */
export async function ends({ of }: Running, name: string, exitCode = 0): Promise<void> {
  for (const host of of(name).hosts) {
    const [assignment] = (await host.poll()).assignments;
    if (assignment === undefined) throw new Error(`${name} got nothing to do`);
    await host.run(assignment, exitCode);
  }
}

/** All nodes of a task that was told to end do that. */
export async function obeys(world: TestWorld, { of }: Running, name: string): Promise<void> {
  const { jobId, hosts } = of(name);
  const { fence = 0 } = await Read.get(world, ADA, jobId);
  for (const host of hosts)
    await host.report({ jobId, fence, state: "exited", cause: "cancelled", chunks: 0, logsComplete: true });
}

/** The states of the group and of its tasks, by name. */
export async function statesOf(world: TestWorld, { id }: { readonly id: string }): Promise<Record<string, string>> {
  const { state, tasks } = await get(world, ADA, id);
  const jobs = await Promise.all(
    tasks.map(async ({ name, jobId }) => [name, (await Read.get(world, ADA, jobId)).state]),
  );
  return { group: state, ...Object.fromEntries(jobs) };
}
