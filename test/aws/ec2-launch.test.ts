import { CreateSnapshotCommand, CreateVolumeCommand } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { BLOCK, RESERVED } from "./ec2-gaps.ts";
import {
  type Cloud,
  eachAlone,
  freshRef,
  IMAGE,
  intentOf,
  type Opened,
  openCloud,
  openProvider,
  PROFILE,
  sent,
  ZONE,
} from "./ec2-support.ts";
import { startEdge } from "./support/edge.ts";

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
function tagsFor(fields: Record<string, string>, type: string): Record<string, string> {
  const [field] = Object.entries(fields).find(
    ([key, value]) => /^TagSpecification\.\d+\.ResourceType$/.test(key) && value === type,
  )!;
  const prefix = field.replace("ResourceType", "Tag.");
  const keys = Object.keys(fields).filter(key => key.startsWith(prefix) && key.endsWith(".Key"));
  return Object.fromEntries(keys.map(key => [fields[key]!, fields[key.replace(/Key$/, "Value")]!]));
}

/** An image with a data disk that would stay, and with one of the machine's own disks. */
const imageWith = (snapshot: string) => `<DescribeImagesResponse><imagesSet><item>
  <imageId>${IMAGE}</imageId><rootDeviceName>/dev/sda1</rootDeviceName><rootDeviceType>ebs</rootDeviceType>
  <blockDeviceMapping>
    <item><deviceName>/dev/sda1</deviceName><ebs><volumeSize>30</volumeSize></ebs></item>
    <item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>
    <item><deviceName>/dev/sdf</deviceName><ebs><snapshotId>${snapshot}</snapshotId><volumeType>gp3</volumeType>
      <volumeSize>40</volumeSize><iops>4000</iops><throughput>250</throughput><encrypted>false</encrypted>
      <deleteOnTermination>false</deleteOnTermination></ebs></item>
  </blockDeviceMapping>
</item></imagesSet></DescribeImagesResponse>`;

/** The fields of each `BlockDeviceMapping.n`. */
function disksIn(fields: Record<string, string>): Record<string, string>[] {
  const disks: Record<string, string>[] = [];
  for (const [key, value] of Object.entries(fields)) {
    const [, at, field] = /^BlockDeviceMapping\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (at !== undefined && field !== undefined) disks[Number(at) - 1] = { ...disks[Number(at) - 1], [field]: value };
  }
  return disks;
}

describe("what is sent", () => {
  test("is one call with everything in it, and no tag is given afterwards", async () => {
    await opened.provider.launch(intentOf(freshRef(), 3));
    cloud.edge.clear();
    opened.calls.length = 0;
    await opened.provider.launch(intentOf(freshRef(), 3));
    expect(cloud.edge.log.map(call => call.operation)).toEqual(["RunInstances"]);
    expect(opened.calls).toEqual([{ service: "ec2", operation: "RunInstances", status: 200, attempt: 1 }]);
    expect(request()).toMatchObject({ MinCount: "3", MaxCount: "3", InstanceType: "m5.large", ImageId: IMAGE });
  });

  test("cold, makes the security group first, and never calls CreateTags", async () => {
    await opened.provider.launch(intentOf(freshRef()));
    expect(times("CreateTags")).toBe(0);
    expect(times("RunInstances")).toBe(1);
    expect(cloud.edge.log).toHaveLength(5);
  });

  test("demands IMDSv2, encrypts the disk, and has no key pair and no monitoring", async () => {
    await opened.provider.launch(intentOf(freshRef()));
    const fields = request();
    expect(fields).toMatchObject({
      "MetadataOptions.HttpTokens": "required",
      "MetadataOptions.HttpPutResponseHopLimit": "2",
      "MetadataOptions.InstanceMetadataTags": "enabled",
      "IamInstanceProfile.Arn": PROFILE,
      "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
      "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
      "BlockDeviceMapping.1.Ebs.VolumeSize": "256",
      "BlockDeviceMapping.1.Ebs.Encrypted": "true",
      "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
      "Monitoring.Enabled": "false",
    });
    expect(Object.keys(fields).filter(key => key.startsWith("KeyName"))).toEqual([]);
    expect(Object.keys(fields).filter(key => key.includes("KmsKeyId"))).toEqual([]);
  });

  test("encrypts with the deployment's key where it has one", async () => {
    const key = "arn:aws:kms:us-east-1:123456789012:key/1";
    const { provider } = await openProvider(cloud, { kmsKey: key });
    await provider.launch(intentOf(freshRef()));
    expect(request()["BlockDeviceMapping.1.Ebs.KmsKeyId"]).toBe(key);
  });

  test("encrypts every disk that an image brings, and lets none outlive its machine", async () => {
    const { SnapshotId: snapshot } = await cloud.raw.send(
      new CreateSnapshotCommand({
        VolumeId: (await cloud.raw.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: 40 }))).VolumeId,
      }),
    );
    const edge = await startEdge({ moto: cloud.moto, gaps: { "ec2.DescribeImages": () => imageWith(snapshot!) } });
    const kmsKey = "arn:aws:kms:us-east-1:123456789012:key/1";
    const { provider } = await openProvider({ ...cloud, edge }, { kmsKey });
    await provider.launch(intentOf(freshRef(), 1, { resources: { image: IMAGE } }));
    const [fields] = sent(edge, "RunInstances");
    await edge.close();
    expect(disksIn(fields!)).toEqual([
      {
        DeviceName: "/dev/sda1",
        "Ebs.VolumeType": "gp3",
        "Ebs.VolumeSize": "256",
        "Ebs.Iops": "3000",
        "Ebs.Throughput": "125",
        "Ebs.Encrypted": "true",
        "Ebs.DeleteOnTermination": "true",
        "Ebs.KmsKeyId": kmsKey,
      },
      {
        DeviceName: "/dev/sdf",
        "Ebs.SnapshotId": snapshot,
        "Ebs.VolumeType": "gp3",
        "Ebs.VolumeSize": "40",
        "Ebs.Iops": "4000",
        "Ebs.Throughput": "250",
        "Ebs.Encrypted": "true",
        "Ebs.DeleteOnTermination": "true",
        "Ebs.KmsKeyId": kmsKey,
      },
    ]);
  });

  test("holds no secret of the hosts", async () => {
    const intent = intentOf(freshRef(), 2);
    await opened.provider.launch(intent);
    const [body] = cloud.edge.log.filter(call => call.operation === "RunInstances").map(call => call.body);
    const userData = Buffer.from(request().UserData!, "base64").toString();
    expect(userData).toBe(opened.userData.current);
    for (const { enrollmentToken } of intent.hosts) {
      expect(`${decodeURIComponent(body!)} ${userData}`).not.toContain(enrollmentToken);
    }
  });

  test("tags machines, disks and interfaces alike: Muster's, the deployment's, and the task's labels", async () => {
    const ref = freshRef();
    const labels = { team: "vision", "cost-center": "mine" };
    await opened.provider.launch(intentOf(ref, 1, { resources: { labels }, generation: 3, try: 2 }));
    const fields = request();
    const tags = {
      Name: "train",
      creator: "usr_ada",
      team: "vision",
      "cost-center": "42",
      "muster:deployment": "app-test",
      "muster:workspace": "main",
      "muster:cluster": ref.clusterId,
      "muster:generation": "3",
      "muster:try": "2",
      "muster:rank": "0",
      "muster:group": "main",
    };
    for (const type of ["instance", "volume", "network-interface"]) expect(tagsFor(fields, type)).toEqual(tags);
  });

  test("names machines after their group where a cluster has several", async () => {
    await opened.provider.launch(intentOf(freshRef(), 1, { group: "workers" }));
    expect(tagsFor(request(), "instance")).toMatchObject({ Name: "train-workers", "muster:group": "workers" });
  });

  test("shows tags in the metadata only where all of them can be shown", async () => {
    await opened.provider.launch(intentOf(freshRef(), 1, { resources: { labels: { "cost center": "4/2" } } }));
    expect(request()["MetadataOptions.InstanceMetadataTags"]).toBe("disabled");
  });

  test.each([
    [{ "muster:cluster": "clu_other" }, "muster:cluster"],
    [{ "aws:x": "1" }, "aws:x"],
    [{ Creator: "me" }, "Creator"],
    [Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`label-${at}`, "x"])), "50"],
  ])("labels that cannot be tags are refused: %j", async (labels, word) => {
    const launched = opened.provider.launch(intentOf(freshRef(), 1, { resources: { labels } }));
    await expect(launched).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining(word) });
    expect(times("RunInstances")).toBe(0);
  });

  test("the token is the same for every send of a try, and another for another", async () => {
    const ref = freshRef();
    for (const change of [{}, {}, { try: 2 }, { generation: 2 }])
      await opened.provider.launch(intentOf(ref, 1, change));
    const tokens = sent(cloud.edge, "RunInstances").map(fields => fields.ClientToken!);
    expect(tokens[0]).toBe(tokens[1]);
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
  });

  test("spot machines are asked for once, end when they power off, and cost at most what was allowed", async () => {
    const more = {
      offer: { market: "spot" as const },
      resources: { spot: true, maxHourly: 0.05 },
      onPowerOff: "stop" as const,
    };
    await opened.provider.launch(intentOf(freshRef(), 1, more));
    expect(request()).toMatchObject({
      "InstanceMarketOptions.MarketType": "spot",
      "InstanceMarketOptions.SpotOptions.SpotInstanceType": "one-time",
      "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior": "terminate",
      "InstanceMarketOptions.SpotOptions.MaxPrice": "0.05",
      InstanceInitiatedShutdownBehavior: "terminate",
    });
    expect(tagsFor(request(), "spot-instances-request")["muster:deployment"]).toBe("app-test");
  });

  test.each(["stop", "terminate"] as const)("a machine on demand that powers off: %s", async onPowerOff => {
    await opened.provider.launch(intentOf(freshRef(), 1, { onPowerOff }));
    expect(request().InstanceInitiatedShutdownBehavior).toBe(onPowerOff);
    expect(Object.keys(request()).filter(key => key.startsWith("InstanceMarketOptions"))).toEqual([]);
  });

  test.each([
    [RESERVED, undefined],
    [BLOCK, "capacity-block"],
  ])("a reservation %s is the market %s", async (reservation, market) => {
    await opened.provider.launch(intentOf(freshRef(), 1, { resources: { reservation } }));
    await opened.provider.launch(intentOf(freshRef(), 1, { resources: { reservation } }));
    const [first] = sent(cloud.edge, "RunInstances");
    expect(first!["CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId"]).toBe(
      reservation,
    );
    expect(first!["InstanceMarketOptions.MarketType"]).toBe(market);
    expect(times("DescribeCapacityReservations")).toBe(1);
  });

  test.each([
    [{ diskSize: 8 }, { VolumeSize: "30", Iops: "3000", Throughput: "125" }],
    [
      { diskSize: 1000, diskTier: "best" },
      { VolumeSize: "1000", Iops: "16000", Throughput: "1000" },
    ],
    [
      { diskSize: 30, diskTier: "ultra" },
      { VolumeSize: "30", Iops: "15000", Throughput: "1000" },
    ],
    [{ diskTier: "medium" }, { VolumeSize: "256", Iops: "4000", Throughput: "250" }],
  ])("a disk %j", async (resources, disk) => {
    await opened.provider.launch(intentOf(freshRef(), 1, { resources }));
    const prefixed = Object.fromEntries(
      Object.entries(disk).map(([key, value]) => [`BlockDeviceMapping.1.Ebs.${key}`, value]),
    );
    expect(request()).toMatchObject(prefixed);
  });

  test("a disk tier that does not exist is refused", async () => {
    const launched = opened.provider.launch(intentOf(freshRef(), 1, { resources: { diskTier: "huge" } }));
    await expect(launched).rejects.toMatchObject({
      code: "unsupported",
      details: { hint: expect.stringContaining("best") },
    });
  });
});
