/**
 * Ran against: moto through the edge. Machines in subnets and security groups of the account's own, on hardware of their
 * own, and with as many adapters as they can have. That EC2 refuses what its own checks would refuse is not proved here.
 */
import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand } from "@aws-sdk/client-ec2";
import type { Choice } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import {
  aliveOf,
  type Cloud,
  eachAlone,
  freshRef,
  intentOf,
  type Opened,
  openCloud,
  sent,
  ZONE,
} from "./ec2-support.ts";

let cloud: Cloud;
let opened: Opened;
eachAlone(openCloud, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;

/** The fields of the only RunInstances that was sent. */
function request(): Record<string, string> {
  const all = sent(cloud.edge, "RunInstances");
  expect(all).toHaveLength(1);
  return all[0]!;
}

/** A subnet and a security group of another VPC, which are in the catalog. */
async function own() {
  const vpc = (await cloud.raw.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16" }))).Vpc!.VpcId!;
  const subnets = { VpcId: vpc, CidrBlock: "10.9.1.0/24", AvailabilityZone: ZONE };
  const subnet = (await cloud.raw.send(new CreateSubnetCommand(subnets))).Subnet!.SubnetId!;
  const theirs = { GroupName: "theirs", Description: "theirs", VpcId: vpc };
  const group = (await cloud.raw.send(new CreateSecurityGroupCommand(theirs))).GroupId!;
  opened.catalog.current = {
    ...opened.catalog.current,
    own: {
      deployment: "app-test",
      subnets: [{ id: subnet, vpc, zone: ZONE, public: false, assigns: false, egress: true }],
      securityGroups: [{ id: group, vpc }],
    },
  };
  return { vpc, subnet, group };
}

const launch = (resources: Choice, instanceType = "m5.large") =>
  opened.provider.launch(intentOf(freshRef(), 1, { offer: { instanceType }, resources }));

describe("a subnet and security groups that a task names", () => {
  test("are where its machines are, and no group is made there", async () => {
    const { vpc, subnet, group } = await own();
    const intent = intentOf(freshRef(), 2, { resources: { subnet, securityGroups: [group] } });
    await opened.provider.launch(intent);
    expect(request()).toMatchObject({
      "NetworkInterface.1.SubnetId": subnet,
      "NetworkInterface.1.SecurityGroupId.1": group,
      "NetworkInterface.1.AssociatePublicIpAddress": "false",
    });
    expect(times("CreateSecurityGroup") + times("DescribeSecurityGroups")).toBe(0);
    const machines = await aliveOf(cloud, intent);
    expect(
      machines.map(machine => [machine.VpcId, machine.NetworkInterfaces?.[0]?.Groups?.map(one => one.GroupId)]),
    ).toEqual([
      [vpc, [group]],
      [vpc, [group]],
    ]);
  });

  test("may be a subnet of the deployment's alone, with the workspace's own group", async () => {
    const { id } = opened.catalog.current.network!.subnets.find(one => one.zone === ZONE)!;
    await launch({ subnet: id });
    expect(request()["NetworkInterface.1.SubnetId"]).toBe(id);
    expect(times("CreateSecurityGroup")).toBe(1);
  });

  test("that the catalog does not have any more are refused before anything is asked for", async () => {
    const { subnet, group } = await own();
    const { own: _, ...without } = opened.catalog.current;
    opened.catalog.current = without;
    const before = cloud.edge.log.length;
    await expect(launch({ subnet, securityGroups: [group] })).rejects.toMatchObject({
      code: "launch_failed",
      message: expect.stringContaining(subnet),
    });
    expect(cloud.edge.log.slice(before)).toEqual([]);
  });

  test("that were deleted meanwhile fail the launch, and are not waited for", async () => {
    const { subnet, group } = await own();
    cloud.edge.inject({ on: "ec2.RunInstances", kind: "error", code: "InvalidGroup.NotFound" });
    await expect(launch({ subnet, securityGroups: [group] })).rejects.toMatchObject({
      code: "launch_failed",
      message: `the security groups ${group} are not all there`,
    });
  });
});

describe("hardware of one's own", () => {
  test("is asked for with the machine", async () => {
    // Moto takes it and forgets it; what counts is what was sent.
    await launch({ tenancy: "dedicated" });
    expect(request()["Placement.Tenancy"]).toBe("dedicated");
  });

  test("stands beside a placement group", async () => {
    const { clusterId } = freshRef();
    const resources = { tenancy: "dedicated", placementGroup: true } as const;
    const launched = opened.provider.launch(intentOf({ workspace: "main", clusterId }, 1, { resources }));
    await launched.catch(() => undefined);
    expect(request()).toMatchObject({
      "Placement.Tenancy": "dedicated",
      "Placement.GroupName": `muster-app-test-${clusterId}`,
    });
  });

  test("is not asked for otherwise", async () => {
    await launch({ tenancy: "default" });
    expect(Object.keys(request()).filter(key => key.startsWith("Placement"))).toEqual([]);
  });
});

describe("the best network", () => {
  const best = { networkTier: "best" } as const;
  const adapters = () => Object.keys(request()).filter(key => key.endsWith(".InterfaceType")).length;

  test("is an ordinary one where the machine has no adapters", async () => {
    await launch(best);
    expect(adapters()).toBe(0);
  });

  test("is the one adapter that a machine has", async () => {
    await launch(best, "c5n.18xlarge");
    expect(request()).toMatchObject({
      "NetworkInterface.1.InterfaceType": "efa",
      "NetworkInterface.1.AssociatePublicIpAddress": "true",
    });
    expect(adapters()).toBe(1);
  });

  test("is one of several adapters where the machine needs a public address", async () => {
    await launch(best, "p4d.24xlarge");
    expect([adapters(), request()["NetworkInterface.1.AssociatePublicIpAddress"]]).toEqual([1, "true"]);
  });

  test("is all of them in a private subnet, which is looked for", async () => {
    const { network } = opened.catalog.current;
    const [first] = network!.subnets.filter(one => one.zone === ZONE);
    const inner = { ...first!, id: "subnet-zz", public: false, assigns: false, egress: true };
    opened.catalog.current = {
      ...opened.catalog.current,
      network: { ...network!, subnets: [...network!.subnets, inner] },
    };
    // Moto has no such subnet; what counts is what was sent.
    await launch(best, "p4d.24xlarge").catch(() => undefined);
    expect([adapters(), request()["NetworkInterface.1.SubnetId"]]).toEqual([4, "subnet-zz"]);
  });
});
