/**
 * Ran against: moto through the edge. Where a launch puts its machines, what it starts them from, and what it finds there.
 * Client tokens, placement groups and reservations are the edge's own doing, for moto has none of them.
 */
import {
  CreateSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import {
  aliveOf,
  type Cloud,
  eachAlone,
  freshRef,
  IMAGE,
  intentOf,
  makeParameter,
  type Opened,
  openCloud,
  openProvider,
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

/** `Tag.n.Key` and `Tag.n.Value` of a resource type. */
function _tagsFor(fields: Record<string, string>, type: string): Record<string, string> {
  const [field] = Object.entries(fields).find(
    ([key, value]) => /^TagSpecification\.\d+\.ResourceType$/.test(key) && value === type,
  )!;
  const prefix = field.replace("ResourceType", "Tag.");
  const keys = Object.keys(fields).filter(key => key.startsWith(prefix) && key.endsWith(".Key"));
  return Object.fromEntries(keys.map(key => [fields[key]!, fields[key.replace(/Key$/, "Value")]!]));
}

describe("the image", () => {
  test("is one for GPUs where the machine has them", async () => {
    await opened.provider.launch(intentOf(freshRef(), 1, { offer: { instanceType: "p4d.24xlarge" } }));
    expect(request().ImageId).toBe("ami-785db401");
    expect(times("DescribeImages")).toBe(0);
  });

  test("is the one that a parameter names, looked up once for a while", async () => {
    await makeParameter(cloud, "/images/mine", "ami-785db401");
    for (const _ of [1, 2])
      await opened.provider.launch(intentOf(freshRef(), 1, { resources: { image: "ssm:/images/mine" } }));
    expect(sent(cloud.edge, "RunInstances").map(fields => fields.ImageId)).toEqual(["ami-785db401", "ami-785db401"]);
    expect([times("GetParameter"), times("DescribeImages")]).toEqual([1, 1]);
    opened.clock.at += 601_000;
    await makeParameter(cloud, "/images/mine", IMAGE);
    await opened.provider.launch(intentOf(freshRef(), 1, { resources: { image: "ssm:/images/mine" } }));
    expect(sent(cloud.edge, "RunInstances").at(-1)!.ImageId).toBe(IMAGE);
  });

  test.each([
    ["ami-0123456789abcdef0", "ami-0123456789abcdef0"],
    ["ssm:/not/there", "/not/there"],
  ])("%s that is not there is a launch that fails, with its name", async (image, word) => {
    const launched = opened.provider.launch(intentOf(freshRef(), 1, { resources: { image } }));
    await expect(launched).rejects.toMatchObject({ code: "launch_failed", message: expect.stringContaining(word) });
    expect(times("RunInstances")).toBe(0);
  });

  test("a stock image of another launcher is ours", async () => {
    await opened.provider.launch(intentOf(freshRef(), 1, { resources: { image: "skypilot:gpu-ubuntu-2204" } }));
    expect(request().ImageId).toBe(IMAGE);
  });
});

describe("the network", () => {
  const privately = () => {
    const { network } = opened.catalog.current;
    const subnets = network!.subnets.map(subnet => ({ ...subnet, public: false, assigns: false, egress: true }));
    opened.catalog.current = { ...opened.catalog.current, network: { ...network!, subnets } };
  };

  test("a public subnet of the offer's zone gives the machine an address", async () => {
    await opened.provider.launch(intentOf(freshRef()));
    const subnet = opened.catalog.current.network!.subnets.find(one => one.zone === ZONE)!;
    expect(request()).toMatchObject({
      "NetworkInterface.1.SubnetId": subnet.id,
      "NetworkInterface.1.AssociatePublicIpAddress": "true",
      "NetworkInterface.1.DeviceIndex": "0",
    });
  });

  test("a private one gives none", async () => {
    privately();
    await opened.provider.launch(intentOf(freshRef()));
    expect(request()["NetworkInterface.1.AssociatePublicIpAddress"]).toBe("false");
  });

  test("with one adapter, it is the machine's own interface", async () => {
    await opened.provider.launch(
      intentOf(freshRef(), 1, { offer: { instanceType: "c5n.18xlarge" }, resources: { efa: true } }),
    );
    expect(request()).toMatchObject({
      "NetworkInterface.1.InterfaceType": "efa",
      "NetworkInterface.1.AssociatePublicIpAddress": "true",
    });
    expect(Object.keys(request()).filter(key => key.startsWith("NetworkInterface.2"))).toEqual([]);
  });

  test("with several, each is on a card of its own, and none has a public address", async () => {
    privately();
    // Moto takes one interface per machine only; what counts is what was sent.
    const launched = opened.provider.launch(
      intentOf(freshRef(), 2, {
        offer: { instanceType: "p4d.24xlarge" },
        resources: { efa: true, placementGroup: true },
      }),
    );
    await launched.catch(() => undefined);
    const fields = request();
    const cards = [1, 2, 3, 4].map(at =>
      ["InterfaceType", "NetworkCardIndex", "DeviceIndex"].map(key => fields[`NetworkInterface.${at}.${key}`]),
    );
    expect(cards).toEqual([
      ["efa", undefined, "0"],
      ["efa-only", "1", "1"],
      ["efa-only", "2", "1"],
      ["efa-only", "3", "1"],
    ]);
    expect(Object.keys(fields).filter(key => key.endsWith("AssociatePublicIpAddress"))).toEqual([]);
  });

  test("several adapters in a public subnet are refused", async () => {
    const launched = opened.provider.launch(
      intentOf(freshRef(), 1, { offer: { instanceType: "p4d.24xlarge" }, resources: { efa: true } }),
    );
    await expect(launched).rejects.toMatchObject({ code: "unsupported" });
    expect(times("RunInstances")).toBe(0);
  });

  test.each([
    ["a zone without a subnet", { zone: "us-east-1z" }, "launch_failed"],
    ["no zone", { zone: undefined }, "launch_failed"],
    ["a type that is not offered any more", { instanceType: "x1.old" }, "no_capacity"],
  ])("%s is refused before anything is asked for", async (_, offer, code) => {
    await expect(opened.provider.launch(intentOf(freshRef(), 1, { offer }))).rejects.toMatchObject({ code });
    expect(cloud.edge.log).toEqual([]);
  });
});

describe("security groups", () => {
  const groups = async () =>
    (
      await cloud.raw.send(
        new DescribeSecurityGroupsCommand({ Filters: [{ Name: "tag-key", Values: ["muster:workspace"] }] }),
      )
    ).SecurityGroups!;

  test("there is one per workspace, open to itself and to nobody else", async () => {
    for (const workspace of ["main", "main", "other"])
      await opened.provider.launch(intentOf({ ...freshRef(), workspace }));
    const made = await groups();
    expect(made.map(group => group.GroupName).toSorted()).toEqual(["muster-app-test-main", "muster-app-test-other"]);
    for (const { GroupId: id, IpPermissions: rules } of made) {
      expect(
        rules!.map(rule => [
          rule.IpProtocol,
          rule.UserIdGroupPairs!.map(pair => pair.GroupId),
          rule.IpRanges,
          rule.Ipv6Ranges,
        ]),
      ).toEqual([["-1", [id], [], []]]);
    }
    const used = sent(cloud.edge, "RunInstances").map(fields => fields["NetworkInterface.1.SecurityGroupId.1"]);
    expect(used).toEqual([used[0], used[0], used[2]]);
    expect(used[0]).not.toBe(used[2]);
  });

  test("a workspace with a long name has one, too", async () => {
    await opened.provider.launch(intentOf({ ...freshRef(), workspace: "w".repeat(200) }));
    expect((await groups()).map(group => group.GroupName)).toEqual([
      expect.stringMatching(/^muster-app-test-[0-9a-f]{24}$/),
    ]);
  });

  test("a group of that name which is somebody else's is not used", async () => {
    const { vpc } = opened.catalog.current.network!;
    const theirs = new CreateSecurityGroupCommand({
      GroupName: "muster-app-test-main",
      Description: "theirs",
      VpcId: vpc,
    });
    await cloud.raw.send(theirs);
    const launched = opened.provider.launch(intentOf(freshRef()));
    await expect(launched).rejects.toMatchObject({
      code: "launch_failed",
      message: expect.stringContaining("muster-app-test-main"),
    });
    expect(times("RunInstances")).toBe(0);
  });

  test("one that was deleted meanwhile is made again by the next send", async () => {
    const intent = intentOf(freshRef());
    await opened.provider.launch(intentOf(freshRef()));
    cloud.edge.inject({ on: "ec2.RunInstances", kind: "error", code: "InvalidGroup.NotFound" });
    await expect(opened.provider.launch(intent)).rejects.toMatchObject({ code: "unavailable" });
    cloud.edge.clear();
    await opened.provider.launch(intent);
    expect(times("DescribeSecurityGroups")).toBe(1);
  });
});

describe("a token that was used with other parameters", () => {
  /** A first send whose answer was lost; then something of the deployment changes. */
  const lostThenChanged = async (hosts = 2) => {
    const intent = intentOf(freshRef(), hosts);
    cloud.edge.inject({ on: "ec2.RunInstances", kind: "reset-after-apply" });
    await expect(opened.provider.launch(intent)).rejects.toMatchObject({ code: "unavailable" });
    opened.userData.current = "#!/bin/sh\necho newer\n";
    return { intent, ids: (await aliveOf(cloud, intent)).map(one => one.InstanceId!).toSorted() };
  };

  test("means that the machines are there: they are this try's", async () => {
    const { intent, ids } = await lostThenChanged();
    const machines = await opened.provider.launch(intent);
    expect(machines.map(machine => machine.machineId).toSorted()).toEqual(ids);
    expect(machines.map(machine => machine.hostId).toSorted()).toEqual(intent.hosts.map(host => host.hostId));
    expect(sent(cloud.edge, "RunInstances")).toHaveLength(2);
  });

  test("and while they cannot be seen, nobody knows", async () => {
    const { intent } = await lostThenChanged();
    cloud.pagesAre({ "": "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>" });
    await expect(opened.provider.launch(intent)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("and when one of them has ended meanwhile, the others end, and another offer is tried", async () => {
    const { intent, ids } = await lostThenChanged();
    await cloud.raw.send(new TerminateInstancesCommand({ InstanceIds: ids.slice(0, 1) }));
    // Somebody ended it, says moto; EC2's other reasons mean other codes.
    await expect(opened.provider.launch(intent)).rejects.toMatchObject({ code: "launch_failed" });
    expect(await aliveOf(cloud, intent)).toEqual([]);
  });
});

describe("a token whose machines have ended", () => {
  const ended = { on: "ec2.RunInstances", kind: "error", code: "IdempotentInstanceTerminated" } as const;

  test("means missing capacity when they are to be seen no more", async () => {
    cloud.edge.inject(ended);
    await expect(opened.provider.launch(intentOf(freshRef()))).rejects.toMatchObject({ code: "no_capacity" });
  });

  test("tells why they ended while they are, and what is left of them ends", async () => {
    const intent = intentOf(freshRef(), 2);
    const [first] = await opened.provider.launch(intent);
    await cloud.raw.send(new TerminateInstancesCommand({ InstanceIds: [first!.machineId] }));
    cloud.edge.inject(ended);
    await expect(opened.provider.launch(intent)).rejects.toMatchObject({
      message: expect.stringContaining(first!.machineId),
    });
    expect(await aliveOf(cloud, intent)).toEqual([]);
  });
});

test("a launch whose getting ready took too long is not sent", async () => {
  const slow = await openProvider(cloud);
  const current = slow.catalog.current;
  Object.defineProperty(slow.catalog, "current", {
    get: () => {
      slow.clock.at += 21_000;
      return current;
    },
  });
  await expect(slow.provider.launch(intentOf(freshRef()))).rejects.toMatchObject({ code: "busy" });
  expect(times("RunInstances")).toBe(0);
});
