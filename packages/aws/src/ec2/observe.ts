/** What is there: the machines that bear this deployment's tags. */
import { DescribeInstancesCommand, type Filter, type Instance } from "@aws-sdk/client-ec2";
import type { Log } from "@muster/core/ports/ports.ts";
import type { ClusterRef, Machine } from "@muster/core/ports/provider.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { CLUSTER, DEPLOYMENT, machineOf, tagOf, WORKSPACE, withTag } from "./tags.ts";

/** Machines per page; the most that EC2 gives. */
const PAGE = 1000;

/** All states but `terminated`, of which EC2 keeps showing machines for an hour. */
const LEFT = { Name: "instance-state-name", Values: ["pending", "running", "shutting-down", "stopping", "stopped"] };

export interface Seeing {
  readonly ec2: Ec2;
  readonly deployment: string;
  readonly log: Log;
}

/** A machine with what EC2 says of it. */
export interface Seen {
  readonly machine: Machine;
  readonly instance: Instance;
}

/** The cluster's machines that are not terminated. @throws Fault */
export const observe = (world: Seeing, ref: ClusterRef): Promise<readonly Seen[]> =>
  list(world, [...ofCluster(world.deployment, ref), LEFT], ref);

/** The cluster's machines, with those that ended within the last hour or so. @throws Fault */
export const observeAll = (world: Seeing, ref: ClusterRef): Promise<readonly Seen[]> =>
  list(world, ofCluster(world.deployment, ref), ref);

/** Every machine of this deployment that is not terminated. @throws Fault */
export const sweep = (world: Seeing): Promise<readonly Seen[]> =>
  list(world, [withTag(DEPLOYMENT, world.deployment), LEFT]);

const ofCluster = (deployment: string, ref: ClusterRef): Filter[] => [
  withTag(DEPLOYMENT, deployment),
  withTag(WORKSPACE, ref.workspace),
  withTag(CLUSTER, ref.clusterId),
];

async function list(world: Seeing, filters: Filter[], ref?: ClusterRef): Promise<readonly Seen[]> {
  const found: Seen[] = [];
  let next: string | undefined;
  do {
    // By tag and in pages: naming ids, one that EC2 cannot find would spoil the whole call.
    const query = { Filters: filters, MaxResults: PAGE, ...(next !== undefined && { NextToken: next }) };
    const page = await answerOf("DescribeInstances", world.ec2.reads.send(new DescribeInstancesCommand(query)));
    const instances = page.Reservations?.flatMap(reservation => reservation.Instances ?? []) ?? [];
    found.push(...instances.flatMap(instance => seen(world, instance, ref)));
    next = page.NextToken || undefined;
  } while (next !== undefined);
  return found;
}

function seen({ deployment, log }: Seeing, instance: Instance, ref: ClusterRef | undefined): Seen[] {
  const machine = machineOf(deployment, instance);
  if (machine === undefined) {
    // Muster's machines bear all of its tags from their first moment: somebody changed them, or gave them to another.
    if (tagOf(instance.Tags, DEPLOYMENT) === deployment)
      log.error("a machine bears only some of Muster's tags, and is left alone", { machine: instance.InstanceId });
    return [];
  }
  const isMeant = ref === undefined || (machine.workspace === ref.workspace && machine.clusterId === ref.clusterId);
  return isMeant ? [{ machine, instance }] : [];
}
