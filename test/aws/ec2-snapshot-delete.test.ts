/**
 * Ran against: moto through the edge, which injects the faults. At every call of `snapshot`, `snapshots` and
 * `deleteSnapshots`, each fault once: what the verb answers, and what is there afterwards. That moto's images can be pending
 * and that lists come in pages is the edge's doing: see ec2-snapshot-support.ts.
 */
import {
  CopyImageCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeregisterImageCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import type { MoveRef } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import { FEW_CALLS, faultOf, NONE_COMES, outcomeOf, patienceFor, saysOf, table } from "./ec2-faults-support.ts";
import { kept, type Moving, openMoving, ownImages, ownParts, stopped } from "./ec2-snapshot-support.ts";
import { eachAlone, freshRef, type Opened, openProvider, REGION, ZONE } from "./ec2-support.ts";

let cloud: Moving;
let opened: Opened;
eachAlone(openMoving, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;
const left = async () => [(await ownImages(cloud)).length, (await ownParts(cloud)).length];
const byMove = (one: MoveRef, other: MoveRef) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

/** An EBS snapshot of somebody's, with these tags. */
async function somebodysPart(tags: Readonly<Record<string, string>>): Promise<string> {
  const { VolumeId } = await cloud.raw.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: 1 }));
  const { SnapshotId: id } = await cloud.raw.send(new CreateSnapshotCommand({ VolumeId }));
  await tagWith(id!, tags);
  return id!;
}

const tagWith = (id: string, tags: Readonly<Record<string, string>>) =>
  cloud.raw.send(
    new CreateTagsCommand({ Resources: [id], Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
  );

const tagsOfMachine = ({ workspace, clusterId }: MoveRef) => ({
  "muster:deployment": "app-test",
  "muster:workspace": workspace,
  "muster:cluster": clusterId,
  "muster:generation": "1",
  "muster:try": "1",
  "muster:rank": "0",
});

describe("snapshot", () => {
  test.each(table(["ec2.DescribeImages", "ec2.DescribeInstances", "ec2.CreateImage"]))("%s %s", async (call, name) => {
    const { ref, ids } = await stopped(opened, 2);
    const of = { ...ref, move: 1 };
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    expect(await outcomeOf(opened.provider.snapshot(of, ids))).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.snapshot(of, ids);
    const told = await opened.provider.snapshot(of, ids);
    expect(told.map(({ state }) => state)).toEqual(["complete", "complete"]);
    expect(await left()).toEqual([2, 2]);
  });
});

describe("snapshots", () => {
  test("tells of each move once, and of those of which only parts are left", async () => {
    const [one, other] = [await kept(cloud, opened, 2), await kept(cloud, opened, 1)];
    const { ref, ids } = await stopped(opened, 1);
    await opened.provider.snapshot({ ...ref, move: 5 }, ids);
    const [image] = (await ownImages(cloud)).filter(({ Name }) => Name?.endsWith("-5"));
    await cloud.raw.send(new DeregisterImageCommand({ ImageId: image!.ImageId! }));
    const refs = [one.of, other.of, { ...ref, move: 5 }];
    expect((await opened.provider.snapshots()).toSorted(byMove)).toEqual(refs.toSorted(byMove));
  });

  test("page by page", async () => {
    const { ref, ids } = await stopped(opened, 2);
    const refs = [1, 2, 3].map(move => ({ ...ref, move }));
    for (const of of refs) await opened.provider.snapshot(of, ids);
    cloud.dials.pageSize = 2;
    cloud.edge.clear();
    expect((await opened.provider.snapshots()).toSorted(byMove)).toEqual(refs);
    expect([times("DescribeImages"), times("DescribeSnapshots")]).toEqual([3, 3]);
    await opened.provider.deleteSnapshots(refs[0]!);
    expect(await left()).toEqual([4, 4]);
  });

  test("nothing of other deployments, and no backups of machines or disks", async () => {
    const { provider: other } = await openProvider(cloud, { deployment: "app-other" });
    const { of } = await kept(cloud, opened, 1);
    await somebodysPart(tagsOfMachine({ ...freshRef(), move: 1 }));
    const { ImageId: backup } = await cloud.raw.send(new RegisterImageCommand({ Name: "backup" }));
    await tagWith(backup!, tagsOfMachine({ ...freshRef(), move: 1 }));
    expect(await opened.provider.snapshots()).toEqual([of]);
    expect(await other.snapshots()).toEqual([]);
    expect(opened.logged).toEqual([]);
  });

  test("what bears only some of the tags is told of, and left alone", async () => {
    const part = { "muster:deployment": "app-test", "muster:move": "1", "muster:host": "hst_1" };
    const id = await somebodysPart(part);
    const { ImageId: image } = await cloud.raw.send(new RegisterImageCommand({ Name: "mine" }));
    await tagWith(image!, part);
    expect(await opened.provider.snapshots()).toEqual([]);
    expect(opened.logged.toSorted()).toEqual([
      expect.stringMatching(new RegExp(`EBS snapshot .*${id}`)),
      expect.stringMatching(new RegExp(`an image .*${image}`)),
    ]);
  });

  const calls = ["ec2.DescribeImages", "ec2.DescribeSnapshots"];
  test.each(table(calls))("%s %s", async (call, name) => {
    const { of } = await kept(cloud, opened, 1);
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    if (name === "denied") expect(await outcomeOf(opened.provider.snapshots())).toBe("unavailable");
    else expect(await opened.provider.snapshots()).toEqual([of]);
  });

  test.each(table(calls).filter(([, name]) => name !== "twice"))(
    "%s %s for good is never an empty answer",
    async (call, name) => {
      await kept(cloud, opened, 1);
      opened = await openProvider(cloud, patienceFor(name, NONE_COMES));
      cloud.edge.inject(faultOf(call, name, Infinity));
      expect(await outcomeOf(opened.provider.snapshots())).toBe(name === "throttled" ? "busy" : "unavailable");
    },
  );
});

describe("deleteSnapshots", () => {
  test("deletes this move's images and their EBS snapshots, and nothing else", async () => {
    const { ref, ids } = await stopped(opened, 2);
    const of = { ...ref, move: 1 };
    await opened.provider.snapshot(of, ids);
    await opened.provider.snapshot({ ...ref, move: 2 }, ids);
    const other = await kept(cloud, opened, 1);
    const [first] = await ownImages(cloud);
    const { ImageId: copy } = await cloud.raw.send(
      new CopyImageCommand({ SourceImageId: first!.ImageId!, SourceRegion: REGION, Name: "somebody's copy" }),
    );
    await cloud.raw.send(new CreateTagsCommand({ Resources: [copy!], Tags: first!.Tags! }));
    const backup = await somebodysPart(tagsOfMachine(of));
    await opened.provider.deleteSnapshots(of);
    const images = (await ownImages(cloud)).map(({ ImageId: id }) => id);
    expect(images).toHaveLength(4);
    expect(images).toContain(copy);
    expect((await ownParts(cloud)).map(({ SnapshotId: id }) => id)).toContain(backup);
    expect((await opened.provider.snapshots()).toSorted(byMove)).toEqual(
      [{ ...ref, move: 2 }, other.of].toSorted(byMove),
    );
  });

  test("what is gone already is success", async () => {
    const { of } = await kept(cloud, opened, 2);
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
    await opened.provider.deleteSnapshots(of);
    expect([times("DeregisterImage"), times("DeleteSnapshot")]).toEqual([2, 2]);
  });

  test.each([
    ["DeregisterImage", "InvalidAMIID.NotFound"],
    ["DeregisterImage", "InvalidAMIID.Unavailable"],
    ["DeleteSnapshot", "InvalidSnapshot.NotFound"],
  ])("and what is gone a moment before: %s %s", async (operation, code) => {
    const { of } = await kept(cloud, opened, 1);
    // Applied, and then told as if somebody else had done it.
    cloud.edge.inject({ on: `ec2.${operation}`, kind: "error", code });
    const outcome = await outcomeOf(opened.provider.deleteSnapshots(of));
    // An image that is there all the same needs its EBS snapshots.
    expect(outcome).toBe(operation === "DeregisterImage" ? "busy" : "done");
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  test("EBS snapshots that an image left are deleted", async () => {
    const { of } = await kept(cloud, opened, 2);
    for (const { ImageId: id } of await ownImages(cloud))
      await cloud.raw.send(new DeregisterImageCommand({ ImageId: id! }));
    expect(await left()).toEqual([0, 2]);
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  test.each(["DeregisterImage", "DeleteSnapshot"])("one %s that fails keeps no other", async operation => {
    const { of } = await kept(cloud, opened, 3);
    cloud.edge.inject({ on: `ec2.${operation}`, kind: "error", code: "UnauthorizedOperation", status: 403 });
    await expect(opened.provider.deleteSnapshots(of)).rejects.toMatchObject({
      code: "unavailable",
      details: { aws: { operation } },
    });
    expect(await left()).toEqual([operation === "DeregisterImage" ? 1 : 0, 1]);
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  test("an image that does not show yet holds its EBS snapshots: it is asked again", async () => {
    const { of } = await kept(cloud, opened, 1);
    const [image] = await ownImages(cloud);
    cloud.dials.hidden.add(image!.ImageId!);
    expect(await outcomeOf(opened.provider.deleteSnapshots(of))).toBe("busy");
    cloud.dials.hidden.clear();
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  test("an image that is still being made is not taken for one that is gone", async () => {
    const { of } = await kept(cloud, opened, 1);
    const [image] = await ownImages(cloud);
    cloud.dials.states.set(image!.ImageId!, "pending");
    cloud.edge.inject({ on: "ec2.DeregisterImage", kind: "error", code: "InvalidAMIID.Unavailable" });
    const deleted = opened.provider.deleteSnapshots(of);
    await expect(deleted).rejects.toMatchObject({ code: "busy", message: expect.stringContaining("still being made") });
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  test("failed and disabled images are deleted too", async () => {
    const { of } = await kept(cloud, opened, 2);
    const [one, other] = await ownImages(cloud);
    cloud.dials.states.set(one!.ImageId!, "failed").set(other!.ImageId!, "disabled");
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
  });

  const calls = ["ec2.DescribeImages", "ec2.DeregisterImage", "ec2.DescribeSnapshots", "ec2.DeleteSnapshot"];
  test.each(table(calls))("%s %s", async (call, name) => {
    const { of } = await kept(cloud, opened, 2);
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    expect(await outcomeOf(opened.provider.deleteSnapshots(of))).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.deleteSnapshots(of);
    expect(await left()).toEqual([0, 0]);
    expect(await opened.provider.snapshots()).toEqual([]);
  });
});
