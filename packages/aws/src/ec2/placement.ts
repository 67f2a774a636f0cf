/**
 * Placement groups: a cluster's machines close to each other.
 *
 * Gotcha: a group cannot be deleted while it has machines, and a machine counts until it is terminated. So it is not the
 * end of the machines that deletes it, but the sweep, later: groups cost nothing, and an account may have 500.
 */
import {
  CreatePlacementGroupCommand,
  DeletePlacementGroupCommand,
  DescribePlacementGroupsCommand,
  type PlacementGroup,
} from "@aws-sdk/client-ec2";
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import type { ClusterRef, Leftover } from "@muster/core/ports/provider.ts";
import { Fault } from "../fault.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { CLUSTER, DEPLOYMENT, tagList, tagOf, WORKSPACE, withTag } from "./tags.ts";

/** When the group was made, as epoch ms: EC2 does not say. */
const MADE = "muster:made";

/** A group so young may be about to get its machines, in ms. */
const YOUNG = 3_600_000;

export interface Placing {
  readonly ec2: Ec2;
  readonly deployment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The name of the cluster's group, which is there afterwards. @throws Fault */
export async function placementGroup(world: Placing, ref: ClusterRef): Promise<string> {
  const name = `muster-${world.deployment}-${ref.clusterId}`;
  const tags = tagList({
    ...world.tags,
    Name: name,
    [DEPLOYMENT]: world.deployment,
    [WORKSPACE]: ref.workspace,
    [CLUSTER]: ref.clusterId,
    [MADE]: String(world.clock.now()),
  });
  const command = new CreatePlacementGroupCommand({
    GroupName: name,
    Strategy: "cluster",
    TagSpecifications: [{ ResourceType: "placement-group", Tags: tags }],
  });
  try {
    await answerOf("CreatePlacementGroup", world.ec2.writes.send(command));
  } catch (error) {
    if (!(error instanceof Fault && error.code === "InvalidPlacementGroup.Duplicate")) throw error;
  }
  return name;
}

/** The groups of clusters that have no machines. @param clusterIds of all clusters that have machines. @throws Fault */
export async function leftGroups(world: Placing, clusterIds: ReadonlySet<string>): Promise<readonly Leftover[]> {
  const command = new DescribePlacementGroupsCommand({ Filters: [withTag(DEPLOYMENT, world.deployment)] });
  const { PlacementGroups: groups } = await answerOf("DescribePlacementGroups", world.ec2.reads.send(command));
  return (groups ?? []).flatMap(group => leftOf(world, group, clusterIds));
}

function leftOf(
  { clock }: Placing,
  { GroupName: id, Tags: tags }: PlacementGroup,
  clusterIds: ReadonlySet<string>,
): Leftover[] {
  const [workspace, clusterId] = [tagOf(tags, WORKSPACE), tagOf(tags, CLUSTER)];
  const since = Number(tagOf(tags, MADE));
  if (id === undefined || workspace === undefined || clusterId === undefined || clusterIds.has(clusterId)) return [];
  return since + YOUNG < clock.now() ? [{ kind: "placement_group", workspace, clusterId, id, since }] : [];
}

/** EC2 refuses while it has machines. @throws Fault */
export async function removeGroup({ ec2 }: Pick<Placing, "ec2">, { id }: Leftover): Promise<void> {
  try {
    await answerOf("DeletePlacementGroup", ec2.writes.send(new DeletePlacementGroupCommand({ GroupName: id })));
  } catch (error) {
    if (!(error instanceof Fault && error.code === "InvalidPlacementGroup.Unknown")) throw error;
  }
}
