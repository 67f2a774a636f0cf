/** Clusters that have groups: a head that takes no jobs, and its workers. */
import * as Budget from "@muster/core/budget/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { FACTS, TestHost } from "./host.ts";
import { ref } from "./requests.ts";
import { ADA, type TestWorld } from "./world.ts";

export const HEAD = { name: "head", nodes: 1, resources: { instanceType: "small" }, schedulable: false };
export const WORKERS = { name: "workers", nodes: 2, resources: { instanceType: "large" } };

export const groupsRequest = (groups: unknown = [HEAD, WORKERS], more = {}) =>
  Cluster.Create.parse({ name: "demo", groups, ...more });

/** Ada's cluster `demo`. @returns its id */
export async function requestedGroups(world: TestWorld, groups?: unknown, more = {}): Promise<string> {
  return (await Create.create(world, ADA, groupsRequest(groups, more))).id;
}

export async function readyGroups(world: TestWorld, groups?: unknown, more = {}) {
  const id = await requestedGroups(world, groups, more);
  await reconcile(world, ref(id));
  return { id, hosts: await enrollGroups(world) };
}

/** Enrolls the hosts of the last call for each group, in order of rank. */
export async function enrollGroups(world: TestWorld): Promise<TestHost[]> {
  const last = new Map(world.provider.intents.map(intent => [intent.group, intent]));
  const hosts: TestHost[] = [];
  for (const { rank, enrollmentToken } of [...last.values()].flatMap(intent => intent.hosts)) {
    const facts = { ...FACTS, address: `10.0.0.${rank + 1}` };
    const { hostToken } = await enroll(world, { token: enrollmentToken, nonce: String(rank).repeat(64), facts });
    hosts.push(new TestHost(world, hostToken));
  }
  return hosts;
}

/** The launch calls: try, group, machine type and ranks. */
export const callsOf = (world: TestWorld) =>
  world.provider.intents.map(intent => [
    intent.try,
    intent.group,
    intent.offer.instanceType,
    intent.hosts.map(host => host.rank),
  ]);

/** What Ada's workspace takes of its budget, in US dollars per hour. */
export const taken = async (world: TestWorld) => (await Budget.get(world, ADA)).hourly.taken;

/** Does it while the call for this group is out, after its machines are made. Then the call is answered. */
export function during(world: TestWorld, group: string, act: () => Promise<unknown>): void {
  const launch = world.provider.launch.bind(world.provider);
  let isFirst = true;
  world.provider.launch = async intent => {
    const made = await launch(intent);
    if (intent.group === group && isFirst) {
      isFirst = false;
      await act();
    }
    return made;
  };
}
