/**
 * Security groups that nobody uses any more.
 *
 * Gotcha: EC2 does not say when a group was used last, so whoever calls must know whose workspaces are quiet. A launch that
 * comes in between loses nothing: EC2 deletes no group that has machines, and a launch whose group is gone makes another.
 */
import { DeleteSecurityGroupCommand, paginateDescribeSecurityGroups, type SecurityGroup } from "@aws-sdk/client-ec2";
import type { Log } from "@muster/core/ports/ports.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { DEPLOYMENT, tagOf, WORKSPACE, withTag } from "./tags.ts";

export interface Unused {
  readonly ec2: Ec2;
  readonly deployment: string;
  readonly log: Log;
  /** Whether this workspace's group may go. */
  readonly isQuiet: (workspace: string) => Promise<boolean>;
}

/**
 * Deletes the security groups of quiet workspaces. Best effort: what fails is logged, and tried the next time.
 * @returns their ids.
 * @throws Fault when they cannot be listed.
 */
export async function deleteUnused(world: Unused): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const group of await groupsOf(world)) gone.push(...(await consider(world, group)));
  return gone;
}

async function groupsOf({ ec2, deployment }: Unused): Promise<readonly SecurityGroup[]> {
  const pages = paginateDescribeSecurityGroups(
    { client: ec2.reads },
    { Filters: [withTag(DEPLOYMENT, deployment)], MaxResults: 1000 },
  );
  const found: SecurityGroup[] = [];
  await answerOf(
    "DescribeSecurityGroups",
    (async () => {
      for await (const { SecurityGroups: groups } of pages) found.push(...(groups ?? []));
    })(),
  );
  return found;
}

async function consider({ ec2, log, isQuiet }: Unused, { GroupId, Tags }: SecurityGroup): Promise<string[]> {
  const workspace = tagOf(Tags, WORKSPACE);
  if (workspace === undefined || GroupId === undefined) return [];
  try {
    if (!(await isQuiet(workspace))) return [];
    await answerOf("DeleteSecurityGroup", ec2.writes.send(new DeleteSecurityGroupCommand({ GroupId })));
    return [GroupId];
  } catch (error) {
    log.info("a security group could not be deleted yet", { group: GroupId, workspace, reason: String(error) });
    return [];
  }
}
