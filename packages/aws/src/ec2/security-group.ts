/**
 * The security group of a workspace: its machines reach each other, and nobody else reaches them.
 *
 * Lifecycle: found by its name; else made, with its tags; then allowed all traffic from and to itself. Whoever dies between
 * leaves a group whose rules are missing, and the next one adds them. Groups cost nothing, and stay until their workspace has
 * been quiet for a day (unused.ts).
 */

import { createHash } from "node:crypto";
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  type IpPermission,
  type SecurityGroup,
} from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import { Fault } from "../fault.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { recall } from "./recall.ts";
import { DEPLOYMENT, tagList, tagOf, WORKSPACE } from "./tags.ts";

export interface SecurityGroups {
  /** The group's id. @throws Fault, or MusterError when a group of that name is not Muster's. */
  get(vpc: string, workspace: string): Promise<string>;
  forget(vpc: string, workspace: string): void;
}

export interface Grouping {
  readonly ec2: Ec2;
  readonly deployment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/** How long a group is taken to be as it was seen, in ms. */
const GOOD_FOR = 3_600_000;

/** Longer names are cut: EC2 takes 255 characters. */
const LONGEST = 120;

export function securityGroups(world: Grouping): SecurityGroups {
  const known = recall<string>(world.clock, GOOD_FOR);
  const keyOf = (vpc: string, workspace: string) => `${vpc} ${workspace}`;
  return {
    get: (vpc, workspace) => known.get(keyOf(vpc, workspace), () => ensure(world, vpc, workspace)),
    forget: (vpc, workspace) => known.forget(keyOf(vpc, workspace)),
  };
}

/** `muster-<deployment>-<workspace>`; with a hash in the workspace's place where that is long or has other signs. */
export function nameOf(deployment: string, workspace: string): string {
  const name = `muster-${deployment}-${workspace}`;
  if (name.length <= LONGEST && /^[\w.-]+$/.test(workspace)) return name;
  return `muster-${deployment}-${createHash("sha256").update(workspace).digest("hex").slice(0, 24)}`;
}

async function ensure(world: Grouping, vpc: string, workspace: string): Promise<string> {
  const name = nameOf(world.deployment, workspace);
  const group = (await find(world, vpc, name)) ?? (await make(world, vpc, workspace, name));
  if (tagOf(group.Tags, DEPLOYMENT) !== world.deployment || tagOf(group.Tags, WORKSPACE) !== workspace)
    throw new MusterError("launch_failed", `the security group '${name}' in ${vpc} is not this workspace's`, {
      hint: "rename or delete it: Muster makes its own",
    });
  const id = group.GroupId ?? "";
  if (!isItself(group.IpPermissions, id)) await allow(world.ec2, "Ingress", id);
  // Adapters that bypass the kernel need the rule to itself also where the group may reach everywhere.
  if (!isItself(group.IpPermissionsEgress, id)) await allow(world.ec2, "Egress", id);
  return id;
}

async function find({ ec2 }: Grouping, vpc: string, name: string): Promise<SecurityGroup | undefined> {
  const Filters = [
    { Name: "vpc-id", Values: [vpc] },
    { Name: "group-name", Values: [name] },
  ];
  const command = new DescribeSecurityGroupsCommand({ Filters });
  const { SecurityGroups: found } = await answerOf("DescribeSecurityGroups", ec2.reads.send(command));
  return found?.[0];
}

async function make(world: Grouping, vpc: string, workspace: string, name: string): Promise<SecurityGroup> {
  const tags = tagList({
    ...world.tags,
    Name: name,
    [DEPLOYMENT]: world.deployment,
    [WORKSPACE]: workspace,
  });
  const command = new CreateSecurityGroupCommand({
    VpcId: vpc,
    GroupName: name,
    Description: "Machines of one Muster workspace: open to each other, and to nobody else",
    TagSpecifications: [{ ResourceType: "security-group", Tags: tags }],
  });
  try {
    const { GroupId } = await answerOf("CreateSecurityGroup", world.ec2.writes.send(command));
    return { ...(GroupId !== undefined && { GroupId }), Tags: tags };
  } catch (error) {
    if (!(error instanceof Fault && error.code === "InvalidGroup.Duplicate")) throw error;
    // Somebody was faster. What was just made may not show yet.
    const found = await find(world, vpc, name);
    if (found !== undefined) return found;
    throw new MusterError("unavailable", `the security group '${name}' was just made and does not show yet`);
  }
}

/** All traffic between members of the group. */
const among = (groupId: string): IpPermission[] => [{ IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: groupId }] }];

const isItself = (rules: readonly IpPermission[] | undefined, groupId: string): boolean =>
  rules?.some(
    rule => rule.IpProtocol === "-1" && rule.UserIdGroupPairs?.some(pair => pair.GroupId === groupId) === true,
  ) ?? false;

async function allow({ writes }: Ec2, direction: "Ingress" | "Egress", groupId: string): Promise<void> {
  const rule = { GroupId: groupId, IpPermissions: among(groupId) };
  const operation = `AuthorizeSecurityGroup${direction}`;
  try {
    if (direction === "Ingress") await answerOf(operation, writes.send(new AuthorizeSecurityGroupIngressCommand(rule)));
    else await answerOf(operation, writes.send(new AuthorizeSecurityGroupEgressCommand(rule)));
  } catch (error) {
    if (!(error instanceof Fault && error.code === "InvalidPermission.Duplicate")) throw error;
  }
}
