/**
 * Ran against: moto through the edge, which injects the faults. Images that are pending or do not show yet, names that are
 * given once, and pages are the edge's: see ec2-snapshot-support.ts.
 */
import { CopyImageCommand, CreateTagsCommand, DeregisterImageCommand } from "@aws-sdk/client-ec2";
import { nameOf } from "@muster/aws/ec2/images/tags.ts";
import type { ImageIntent } from "@muster/core/ports/provider.ts";
import type { Saved } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { FEW_CALLS, faultOf, outcomeOf, patienceFor, saysOf, table } from "./ec2-faults-support.ts";
import {
  disksIn,
  type Moving,
  openMoving,
  ownImages,
  ownParts,
  type Stopped,
  stopped,
  tagsIn,
} from "./ec2-snapshot-support.ts";
import { eachAlone, freshRef, intentOf, type Opened, openProvider, REGION, sent } from "./ec2-support.ts";

let cloud: Moving;
let opened: Opened;
eachAlone(openMoving, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;
const left = async () => [(await ownImages(cloud)).length, (await ownParts(cloud)).length];
const label = { name: "base", owner: "usr_ada", cluster: "train" };

const imageOf = ({ ref, hostIds }: Stopped, imageId = "img_1"): ImageIntent => ({
  ...ref,
  imageId,
  generation: 1,
  hostId: hostIds[0] ?? "",
  label,
});

/** A saved image, whose cluster is stopped still. */
async function saved(imageId = "img_1") {
  const cluster = await stopped(opened, 1);
  const intent = imageOf(cluster, imageId);
  const { ref } = await opened.provider.saveImage(intent);
  cloud.edge.clear();
  return { ...cluster, intent, ami: ref };
}

describe("saveImage", () => {
  test("makes an image of the first host's machine, by one call without a reboot, and finds it from then on", async () => {
    const intent = imageOf(await stopped(opened, 2));
    const first = await opened.provider.saveImage(intent);
    expect(first).toEqual({ state: "pending", ref: expect.stringMatching(/^ami-/) });
    expect(await opened.provider.saveImage(intent)).toMatchObject({ state: "complete", ref: first.ref });
    const found = await opened.provider.image(intent);
    expect(found).toEqual({
      state: "complete",
      ref: first.ref,
      region: REGION,
      architecture: "x86_64",
      size: expect.any(Number),
    });
    expect(sent(cloud.edge, "CreateImage")).toMatchObject([{ NoReboot: "true" }]);
    expect(await left()).toEqual([1, 1]);
    expect(cloud.edge.log.map(call => call.operation)).not.toContain("CreateTags");
  });

  test("tags image and EBS snapshots alike, and with nothing by which disks of clusters are found", async () => {
    const { provider } = await openProvider(cloud, { tags: { "cost-center": "42", Name: "theirs" } });
    await provider.saveImage(imageOf(await stopped(opened, 1, { resources: { labels: { team: "vision" } } })));
    const tags = {
      Name: "theirs",
      creator: "usr_ada",
      "cost-center": "42",
      "muster:deployment": "app-test",
      "muster:workspace": "main",
      "muster:image": "img_1",
    };
    expect((await ownImages(cloud)).map(({ Tags }) => tagsIn(Tags))).toEqual([tags]);
    expect((await ownParts(cloud)).map(({ Tags }) => tagsIn(Tags))).toEqual([tags]);
    expect(await provider.snapshots()).toEqual([]);
  });

  test("a doubled call makes one image; one that does not show yet is known by its name", async () => {
    const intent = imageOf(await stopped(opened, 1));
    cloud.edge.inject({ on: "ec2.CreateImage", kind: "duplicate" });
    const { ref } = await opened.provider.saveImage(intent);
    cloud.dials.hidden.add(ref);
    cloud.dials.states.set(ref, "pending");
    expect(await opened.provider.image(intent)).toBeUndefined();
    expect(await opened.provider.saveImage(intent)).toMatchObject({ state: "pending" });
    expect(await left()).toEqual([1, 1]);
  });

  test("a machine that is not stopped, or gone: nothing is made", async () => {
    const cluster = await stopped(opened, 1);
    await opened.provider.start(cluster.ref);
    expect(await outcomeOf(opened.provider.saveImage(imageOf(cluster)))).toBe("busy");
    expect(await outcomeOf(opened.provider.saveImage({ ...imageOf(cluster), generation: 2 }))).toBe("launch_failed");
    await opened.provider.terminate(cluster.ids);
    expect(await outcomeOf(opened.provider.saveImage(imageOf(cluster)))).toBe("launch_failed");
    expect(times("CreateImage")).toBe(0);
  });

  test("an image that fails says why", async () => {
    const { intent, ami } = await saved();
    cloud.dials.states.set(ami, "error");
    expect(await opened.provider.image(intent)).toMatchObject({ state: "failed", message: "EC2 calls it 'error'" });
  });

  test.each(table(["ec2.DescribeImages", "ec2.DescribeInstances", "ec2.CreateImage"]))("%s %s", async (call, name) => {
    const intent = imageOf(await stopped(opened, 1));
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    expect(await outcomeOf(opened.provider.saveImage(intent))).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.saveImage(intent);
    expect(await opened.provider.image(intent)).toMatchObject({ state: "complete" });
    expect(await left()).toEqual([1, 1]);
  });
});

describe("images and deleteImage", () => {
  test("tell of this deployment's alone, page by page, with when they were made", async () => {
    const [one, two] = [await saved("img_1"), await saved("img_2")];
    const other = await openProvider(cloud, { deployment: "other" });
    await expect(other.provider.saveImage(one.intent)).rejects.toMatchObject({ code: "launch_failed" });
    cloud.dials.pageSize = 1;
    const found = await opened.provider.images();
    expect(found.map(({ imageId }) => imageId).toSorted()).toEqual(["img_1", "img_2"]);
    for (const { workspace, createdAt } of found)
      expect([workspace, Number.isSafeInteger(createdAt) && createdAt > Date.UTC(2020, 0)]).toEqual(["main", true]);
    expect(await other.provider.images()).toEqual([]);
    await other.provider.deleteImage(one.intent);
    expect(await left()).toEqual([2, 2]);
    await opened.provider.deleteImage(two.intent);
    expect(await opened.provider.images()).toMatchObject([{ imageId: "img_1" }]);
  });

  test("an image goes with its EBS snapshots, twice as well as once, and moves' snapshots stay", async () => {
    const { intent, ref, ids } = await saved();
    await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    await opened.provider.deleteImage(intent);
    await opened.provider.deleteImage(intent);
    expect(await left()).toEqual([1, 1]);
    await opened.provider.deleteSnapshots({ ...ref, move: 1 });
    expect([await left(), await opened.provider.images()]).toEqual([[0, 0], []]);
  });

  test("EBS snapshots that an image has left are told of, and deleted", async () => {
    const { intent, ami } = await saved();
    await cloud.raw.send(new DeregisterImageCommand({ ImageId: ami }));
    expect(await opened.provider.images()).toMatchObject([{ imageId: "img_1" }]);
    await opened.provider.deleteImage(intent);
    expect(await left()).toEqual([0, 0]);
  });

  test("a copy of somebody's, of another name, is left alone", async () => {
    const { intent, ami } = await saved();
    const copy = await cloud.raw.send(new CopyImageCommand({ SourceImageId: ami, SourceRegion: REGION, Name: "mine" }));
    const Tags = [...(await ownImages(cloud))][0]?.Tags?.filter(({ Key }) => Key?.startsWith("muster:"));
    await cloud.raw.send(new CreateTagsCommand({ Resources: [copy.ImageId!], Tags }));
    await opened.provider.deleteImage(intent);
    expect((await ownImages(cloud)).map(({ ImageId: id }) => id)).toEqual([copy.ImageId]);
    expect(opened.logged).toContainEqual(expect.stringContaining("left alone"));
  });

  test.each(table(["ec2.DescribeImages", "ec2.DeregisterImage", "ec2.DescribeSnapshots", "ec2.DeleteSnapshot"]))(
    "%s %s",
    async (call, name) => {
      const { intent } = await saved();
      opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
      cloud.edge.inject(faultOf(call, name));
      expect(await outcomeOf(opened.provider.deleteImage(intent))).toBe(saysOf(call, name, "unavailable"));
      await opened.provider.deleteImage(intent);
      expect(await left()).toEqual([0, 0]);
    },
  );
});

describe("machines from an image", () => {
  const asSaved = (ami: string): Saved => ({ id: "img_1", name: "base", provider: "aws", ref: ami, region: REGION });
  const from = (ami: string, more = {}) =>
    intentOf(freshRef(), 1, { resources: { image: "muster:base", saved: asSaved(ami), ...more } });

  test("start from it, on an encrypted disk no smaller than it, which ends with them", async () => {
    const { ami, intent } = await saved();
    const { size } = (await opened.provider.image(intent)) ?? {};
    await opened.provider.launch(from(ami, { diskSize: 1 }));
    const [fields = {}] = sent(cloud.edge, "RunInstances");
    expect(fields.ImageId).toBe(ami);
    expect(size).toBeGreaterThan(1);
    const disk = { "Ebs.VolumeSize": String(size), "Ebs.DeleteOnTermination": "true", "Ebs.Encrypted": "true" };
    expect(disksIn(fields)).toMatchObject([disk]);
  });

  test("cannot be had when it is gone, and it is looked for again", async () => {
    const { ami, intent } = await saved();
    await opened.provider.launch(from(ami));
    await opened.provider.deleteImage(intent);
    // What is remembered of it is good for a while; EC2 knows better.
    cloud.edge.inject({ on: "ec2.RunInstances", kind: "error", code: "InvalidAMIID.NotFound" });
    expect(await outcomeOf(opened.provider.launch(from(ami)))).toBe("launch_failed");
    const calls = times("RunInstances");
    expect(await outcomeOf(opened.provider.launch(from(ami)))).toBe("launch_failed");
    expect(times("RunInstances")).toBe(calls);
  });

  test("are not made of a kept disk that is named by its id: whoever knows the id may be of another workspace", async () => {
    const { ami, ref, ids } = await saved();
    await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    const amis = (await ownImages(cloud)).map(({ ImageId: id }) => id!);
    expect(amis).toContain(ami);
    expect(amis).toHaveLength(2);
    for (const image of amis) {
      const launch = opened.provider.launch(intentOf(freshRef(), 1, { resources: { image } }));
      await expect(launch).rejects.toMatchObject({ code: "launch_failed", message: expect.stringContaining("kept") });
    }
    expect(times("RunInstances")).toBe(0);
  });
});

test("names are EC2's to take, and one image's alone", () => {
  expect(nameOf("app-test", "img_1")).toBe("muster-app-test-img_1");
  const long = nameOf("a".repeat(200), "img_1");
  expect(long).toMatch(/^[\w()[\] ./'@-]{3,128}$/);
  expect(long).not.toBe(nameOf("a".repeat(200), "img_2"));
});
