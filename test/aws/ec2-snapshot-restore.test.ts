/**
 * Ran against: moto through the edge, which injects the faults. That a token makes a machine once, and is refused when its
 * machine has ended, is the edge's doing, not moto's; so are images that are pending, and images with several disks.
 */
import { createHash } from "node:crypto";
import type { BlockDeviceMapping } from "@aws-sdk/client-ec2";
import { tokenOf } from "@muster/aws/ec2/tags.ts";
import * as Host from "@muster/core/host/host.ts";
import type { ClusterRef, Machine } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import { faultOf, names, outcomeOf, patienceFor, saysOf, table } from "./ec2-faults-support.ts";
import {
  disksIn,
  imagesByHost,
  kept,
  type Moving,
  movedOf,
  onRun,
  openMoving,
  partIds,
  type Stopped,
  tagsIn,
} from "./ec2-snapshot-support.ts";
import { aliveOf, eachAlone, IMAGE, type Opened, openProvider, sent } from "./ec2-support.ts";

let cloud: Moving;
let opened: Opened;
eachAlone(openMoving, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;
const aliveIds = async (ref: ClusterRef) => (await aliveOf(cloud, ref)).map(one => one.InstanceId!).toSorted();
const idsOf = (machines: readonly Machine[]) => machines.map(machine => machine.machineId).toSorted();

describe("what is sent", () => {
  test("each host starts from its own image, by a call and a token of its own, with its rank", async () => {
    const cluster = await kept(cloud, opened, 3);
    const images = await imagesByHost(cloud);
    const intent = movedOf(cluster);
    const machines = await opened.provider.launch(intent);
    expect(machines.map(({ hostId }) => hostId)).toEqual(cluster.hostIds);
    for (const machine of machines) expect(machine).toMatchObject({ ...cluster.ref, generation: 2, try: 1 });
    const all = sent(cloud.edge, "RunInstances");
    expect(all).toHaveLength(3);
    for (const fields of all) expect(fields).toMatchObject({ MinCount: "1", MaxCount: "1" });
    const tokens = all.map(fields => fields.ClientToken!);
    expect(new Set([...tokens, tokenOf("app-test", intent)]).size).toBe(4);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
    const alive = await aliveOf(cloud, cluster.ref);
    for (const { ImageId, Tags } of alive) {
      const tags = tagsIn(Tags);
      expect(ImageId).toBe(images.get(Host.idOf(cluster.ref.clusterId, Number(tags["muster:rank"]))));
      expect(tags).toMatchObject({ Name: "train", creator: "usr_ada", "cost-center": "42", "muster:generation": "2" });
    }
    expect(alive.map(({ Tags }) => tagsIn(Tags)["muster:rank"]).toSorted()).toEqual(["0", "1", "2"]);
    expect(idsOf(await opened.provider.observe(cluster.ref))).toEqual(idsOf(machines));
  });

  test("the token of an ordinary launch is what it was", () => {
    const of = { workspace: "main", clusterId: "clu_1", generation: 2, try: 3 };
    const token = createHash("sha256").update("app-test|main|clu_1|2|3").digest("hex");
    expect(tokenOf("app-test", of)).toBe(token);
    expect(tokenOf("app-test", of, 0)).not.toBe(token);
  });

  test("hosts of a later group have their own images", async () => {
    const cluster = await kept(cloud, opened, 3);
    const images = await imagesByHost(cloud);
    const intent = movedOf(cluster);
    const later = { ...intent, try: 2, hosts: intent.hosts.slice(1) };
    const machines = await opened.provider.launch(later);
    expect(machines.map(({ hostId }) => hostId)).toEqual(cluster.hostIds.slice(1));
    expect(
      sent(cloud.edge, "RunInstances")
        .map(fields => fields.ImageId)
        .toSorted(),
    ).toEqual(
      cluster.hostIds
        .slice(1)
        .map(hostId => images.get(hostId))
        .toSorted(),
    );
  });

  test("disks are what the image has, and what was asked for; those that are encrypted keep their key", async () => {
    const cluster = await kept(cloud, opened, 1);
    const [[, image] = []] = await imagesByHost(cloud);
    const [SnapshotId] = await partIds(cloud.raw, image!);
    const disk = (DeviceName: string, VolumeSize: number, Encrypted: boolean): BlockDeviceMapping => ({
      DeviceName,
      Ebs: { SnapshotId, VolumeSize, VolumeType: "gp3", Encrypted, DeleteOnTermination: false },
    });
    const scratch = { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" };
    const disks = [disk("/dev/sda1", 300, true), scratch, disk("/dev/sdf", 40, true), disk("/dev/sdg", 50, false)];
    cloud.dials.disks.set(image!, disks);
    const kmsKey = "arn:aws:kms:us-east-1:123456789012:key/1";
    const { provider } = await openProvider(cloud, { kmsKey });
    const resources = { diskTier: "high", image: IMAGE, diskSize: 100 };
    await provider.launch(movedOf(cluster, { resources }));
    const [fields] = sent(cloud.edge, "RunInstances");
    expect(fields!.ImageId).toBe(image);
    const safe = { "Ebs.Encrypted": "true", "Ebs.DeleteOnTermination": "true", "Ebs.VolumeType": "gp3" };
    expect(disksIn(fields!)).toEqual([
      {
        ...safe,
        DeviceName: "/dev/sda1",
        "Ebs.VolumeSize": "300",
        "Ebs.Iops": "8000",
        "Ebs.Throughput": "500",
      },
      { ...safe, DeviceName: "/dev/sdf", "Ebs.SnapshotId": SnapshotId, "Ebs.VolumeSize": "40" },
      { ...safe, DeviceName: "/dev/sdg", "Ebs.SnapshotId": SnapshotId, "Ebs.VolumeSize": "50", "Ebs.KmsKeyId": kmsKey },
    ]);
  });
});

describe("sent again", () => {
  test("when all are there, nothing is asked for", async () => {
    const cluster = await kept(cloud, opened, 2);
    const first = await opened.provider.launch(movedOf(cluster));
    cloud.edge.clear();
    expect(idsOf(await opened.provider.launch(movedOf(cluster)))).toEqual(idsOf(first));
    expect(times("RunInstances")).toBe(0);
  });

  test("and when they do not show yet, their tokens give them again", async () => {
    const cluster = await kept(cloud, opened, 2);
    const first = await opened.provider.launch(movedOf(cluster));
    cloud.dials.blind = 1;
    expect(idsOf(await opened.provider.launch(movedOf(cluster)))).toEqual(idsOf(first));
    expect(await aliveIds(cluster.ref)).toEqual(idsOf(first));
  });

  test.each(names.filter(name => name !== "twice" && name !== "denied"))(
    "after the second call was %s: goes on, and makes each machine once",
    async name => {
      const cluster = await kept(cloud, opened, 2);
      opened = await openProvider(cloud, patienceFor(name));
      cloud.edge.inject({ ...faultOf("ec2.RunInstances", name), skip: 1 });
      expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
      const there = await aliveIds(cluster.ref);
      expect(there.length).toBeGreaterThanOrEqual(1);
      const machines = await opened.provider.launch(movedOf(cluster));
      expect(idsOf(machines)).toEqual(expect.arrayContaining(there));
      expect(await aliveIds(cluster.ref)).toEqual(idsOf(machines));
      expect(machines).toHaveLength(2);
    },
  );

  test("under tokens that a deploy has spoilt: the machines are found by their tags", async () => {
    const cluster = await kept(cloud, opened, 2);
    const first = await opened.provider.launch(movedOf(cluster));
    opened.userData.current = "#!/bin/sh\necho changed\n";
    cloud.dials.blind = 1;
    expect(idsOf(await opened.provider.launch(movedOf(cluster)))).toEqual(idsOf(first));
    expect(sent(cloud.edge, "RunInstances")).toHaveLength(4);
    // And while they do not show at all, nobody knows.
    cloud.dials.blind = 2;
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(await aliveIds(cluster.ref)).toEqual(idsOf(first));
  });

  test("when EC2 is slow, it asks for no more, and goes on the next time", async () => {
    const cluster = await kept(cloud, opened, 6);
    cloud.dials.onRun = () => {
      opened.clock.at += 10_000;
    };
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    const there = await aliveIds(cluster.ref);
    expect(there).toHaveLength(4);
    cloud.dials.onRun = () => {};
    const machines = await opened.provider.launch(movedOf(cluster));
    expect(idsOf(machines)).toEqual(expect.arrayContaining(there));
    expect(machines).toHaveLength(6);
    expect(times("RunInstances")).toBe(6);
  });
});

describe("the image", () => {
  /** Of the second host; nothing else will do in its place. */
  async function secondImage(): Promise<{ cluster: Stopped; image: string }> {
    const cluster = await kept(cloud, opened, 2);
    return { cluster, image: (await imagesByHost(cloud)).get(cluster.hostIds[1]!)! };
  }
  /** No machine started from anything but the hosts' own images. */
  async function onlyOwn() {
    const own = [...(await imagesByHost(cloud)).values()];
    for (const { ImageId } of sent(cloud.edge, "RunInstances")) expect(own).toContain(ImageId);
  }

  test("that does not show, or is not complete: it is asked again", async () => {
    const { cluster, image } = await secondImage();
    cloud.dials.hidden.add(image);
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    cloud.dials.hidden.clear();
    cloud.dials.states.set(image, "pending");
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    cloud.dials.states.clear();
    expect(await opened.provider.launch(movedOf(cluster))).toHaveLength(2);
    expect(await aliveIds(cluster.ref)).toHaveLength(2);
    await onlyOwn();
  });

  test.each(["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound"])(
    "of which EC2 says %s: it is asked again",
    async code => {
      const { cluster } = await secondImage();
      cloud.edge.inject({ ...onRun(1, code), times: 1 });
      expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
      expect(await aliveIds(cluster.ref)).toHaveLength(1);
      expect(await opened.provider.launch(movedOf(cluster))).toHaveLength(2);
      await onlyOwn();
    },
  );

  test.each(["failed", "error", "invalid", "disabled"])(
    "that is %s: the launch has failed, and nothing is left",
    async state => {
      const { cluster, image } = await secondImage();
      cloud.dials.states.set(image, state);
      await expect(opened.provider.launch(movedOf(cluster))).rejects.toMatchObject({
        code: "launch_failed",
        message: expect.stringContaining(cluster.hostIds[1]!),
        details: { hint: expect.stringContaining(state) },
      });
      expect(await aliveIds(cluster.ref)).toEqual([]);
      await onlyOwn();
    },
  );

  test("of another move is not taken", async () => {
    const { cluster } = await secondImage();
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster, { move: 2 })))).toBe("unavailable");
    expect(times("RunInstances")).toBe(0);
  });

  test("for another processor: this offer will not do", async () => {
    const { cluster, image } = await secondImage();
    cloud.dials.architectures.set(image, "arm64");
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });
});

describe("faults", () => {
  const calls = ["ec2.DescribeImages", "ec2.DescribeInstances", "ec2.DescribeSecurityGroups", "ec2.RunInstances"];

  test("these are all of its calls, with those that make a group", async () => {
    const cluster = await kept(cloud, opened, 1);
    const { provider } = await openProvider(cloud);
    await provider.launch(movedOf(cluster));
    const operations = new Set(cloud.edge.log.map(one => `${one.service}.${one.operation}`));
    expect([...operations].toSorted()).toEqual(calls.toSorted());
  });

  test.each(table(calls))("%s %s", async (call, name) => {
    const cluster = await kept(cloud, opened, 2);
    // One that has nothing in memory yet.
    const { provider } = await openProvider(cloud, patienceFor(name));
    cloud.edge.inject(faultOf(call, name));
    const outcome = await outcomeOf(provider.launch(movedOf(cluster)));
    // The call for the other machine is out at the same time.
    const said =
      call === "ec2.RunInstances" && name === "throttled" ? "unavailable" : saysOf(call, name, "launch_failed");
    expect(outcome).toBe(said);
    if (name === "denied") expect(await aliveIds(cluster.ref)).toEqual([]);
    const again = name === "denied" && call === "ec2.RunInstances" ? 2 : 1;
    const machines = await provider.launch(movedOf(cluster, { try: again }));
    expect(machines).toHaveLength(2);
    expect(await aliveIds(cluster.ref)).toEqual(idsOf(machines));
  });
});
