/**
 * Ran against: moto through the edge. Images that are pending, that fail, or that do not show yet are the edge's, and so
 * are tags on EBS snapshots, names that are given once, and pages: see ec2-snapshot-support.ts.
 */
import { DescribeInstancesCommand, ImageState, RegisterImageCommand } from "@aws-sdk/client-ec2";
import { nameOf } from "@muster/aws/ec2/snapshot/tags.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "./ec2-faults-support.ts";
import { kept, type Moving, openMoving, ownImages, ownParts, stopped, tagsIn } from "./ec2-snapshot-support.ts";
import { eachAlone, intentOf, type Opened, openProvider, sent } from "./ec2-support.ts";

let cloud: Moving;
let opened: Opened;
eachAlone(openMoving, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;
const byHost = (one: { readonly hostId: string }, other: { readonly hostId: string }) =>
  one.hostId < other.hostId ? -1 : 1;

describe("snapshot", () => {
  test("makes an image of each stopped machine, and tells when all are complete", async () => {
    const { ref, ids, hostIds } = await stopped(opened, 2);
    const of = { ...ref, move: 3 };
    const first = await opened.provider.snapshot(of, ids);
    expect(first.toSorted(byHost)).toEqual(hostIds.map(hostId => ({ hostId, state: "pending" })));
    const second = await opened.provider.snapshot(of, ids);
    expect(second.toSorted(byHost)).toEqual(hostIds.map(hostId => ({ hostId, state: "complete" })));
    expect(times("CreateImage")).toBe(2);
    expect(await ownImages(cloud)).toHaveLength(2);
    for (const fields of sent(cloud.edge, "CreateImage")) expect(fields.NoReboot).toBe("true");
    expect(cloud.edge.log.map(call => call.operation)).not.toContain("CreateTags");
  });

  test("tags images and EBS snapshots alike: Muster's, the deployment's, and the machine's", async () => {
    const labels = { team: "vision", "cost-center": "mine" };
    const { ref, ids, hostIds } = await stopped(opened, 1, { resources: { labels }, generation: 7 });
    const { provider } = await openProvider(cloud, { tags: { "cost-center": "42", stage: "test" } });
    await provider.snapshot({ ...ref, move: 3 }, ids);
    const tags = {
      Name: "train",
      creator: "usr_ada",
      team: "vision",
      "cost-center": "42",
      stage: "test",
      "muster:deployment": "app-test",
      "muster:workspace": "main",
      "muster:cluster": ref.clusterId,
      "muster:move": "3",
      "muster:host": hostIds[0],
    };
    expect((await ownImages(cloud)).map(({ Tags }) => tagsIn(Tags))).toEqual([tags]);
    expect((await ownParts(cloud)).map(({ Tags }) => tagsIn(Tags))).toEqual([tags]);
  });

  test("a machine with as many tags as there may be loses labels, and nothing else", async () => {
    const labels = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`label-${at}`, "x"]));
    const { ref, ids } = await stopped(opened, 1, { resources: { labels } });
    const must = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`must-${at}`, "y"]));
    const { provider } = await openProvider(cloud, { tags: must });
    await provider.snapshot({ ...ref, move: 1 }, ids);
    const [tags] = (await ownImages(cloud)).map(({ Tags }) => tagsIn(Tags));
    expect(Object.keys(tags!)).toHaveLength(50);
    const own = { "muster:deployment": "app-test", "muster:cluster": ref.clusterId, "muster:move": "1" };
    expect(tags).toMatchObject({ ...must, ...own, Name: "train", creator: "usr_ada" });
  });

  test("a doubled call makes one image", async () => {
    const { ref, ids } = await stopped(opened, 1);
    const of = { ...ref, move: 1 };
    cloud.edge.inject({ on: "ec2.CreateImage", kind: "duplicate" });
    await opened.provider.snapshot(of, ids);
    expect(await ownImages(cloud)).toHaveLength(1);
    expect(await opened.provider.snapshot(of, ids)).toMatchObject([{ state: "complete" }]);
  });

  test("an image that does not show by its tags yet is known by its name", async () => {
    const { ref, ids } = await stopped(opened, 1);
    const of = { ...ref, move: 1 };
    await opened.provider.snapshot(of, ids);
    const [image] = await ownImages(cloud);
    cloud.dials.hidden.add(image!.ImageId!);
    cloud.dials.states.set(image!.ImageId!, "pending");
    expect(await opened.provider.snapshot(of, ids)).toMatchObject([{ state: "pending" }]);
    cloud.dials.states.delete(image!.ImageId!);
    expect(await opened.provider.snapshot(of, ids)).toMatchObject([{ state: "complete" }]);
    expect(await ownImages(cloud)).toHaveLength(1);
  });

  test("and one that does not show at all is on its way", async () => {
    const { ref, ids } = await stopped(opened, 1);
    cloud.edge.inject({ on: "ec2.CreateImage", kind: "error", code: "InvalidAMIName.Duplicate" });
    expect(await opened.provider.snapshot({ ...ref, move: 1 }, ids)).toMatchObject([{ state: "pending" }]);
  });

  test("an image of somebody's that has the name is no snapshot, and is told of", async () => {
    const { ref, ids, hostIds } = await stopped(opened, 1);
    const Name = nameOf("app-test", { hostId: hostIds[0]!, move: 1 });
    await cloud.raw.send(new RegisterImageCommand({ Name }));
    expect(await opened.provider.snapshot({ ...ref, move: 1 }, ids)).toMatchObject([{ state: "failed" }]);
    expect(opened.logged).toEqual([expect.stringContaining("not Muster's has the name")]);
  });

  test("a machine that is not stopped: nothing is made, of no machine", async () => {
    const { ref, ids } = await stopped(opened, 2);
    await opened.provider.start(ref);
    await expect(opened.provider.snapshot({ ...ref, move: 1 }, ids)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining("must be stopped"),
    });
    expect(times("CreateImage")).toBe(0);
  });

  test("only the machines that are named are looked at", async () => {
    const { ref, ids, hostIds } = await stopped(opened, 1);
    await opened.provider.launch(intentOf(ref, 1, { generation: 2 }));
    const made = await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    expect(made).toEqual([{ hostId: hostIds[0], state: "pending" }]);
    expect(await opened.provider.snapshot({ ...ref, move: 2 }, [])).toEqual([]);
  });

  test("snapshots of machines that have ended are told of", async () => {
    const { of, ids, hostIds } = await kept(cloud, opened);
    const told = await opened.provider.snapshot(of, ids);
    expect(told.toSorted(byHost)).toEqual(hostIds.map(hostId => ({ hostId, state: "complete" })));
  });

  test("each move has snapshots of its own", async () => {
    const { ref, ids } = await stopped(opened, 1);
    await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    await opened.provider.snapshot({ ...ref, move: 2 }, ids);
    expect((await ownImages(cloud)).map(({ Tags }) => tagsIn(Tags)["muster:move"]).toSorted()).toEqual(["1", "2"]);
  });

  const told: Readonly<Record<string, string>> = { available: "complete", pending: "pending" };
  test.each(Object.values(ImageState).filter(state => state !== "deregistered"))("an image that is %s", async state => {
    const { of, ids } = await kept(cloud, opened, 1);
    const [image] = await ownImages(cloud);
    cloud.dials.states.set(image!.ImageId!, state);
    expect(await opened.provider.snapshot(of, ids)).toMatchObject([{ state: told[state] ?? "failed" }]);
  });

  test("an image that is deregistered is none: EC2 shows it for a while", async () => {
    const { of, ids } = await kept(cloud, opened, 1);
    const [image] = await ownImages(cloud);
    cloud.dials.states.set(image!.ImageId!, "deregistered");
    expect(await opened.provider.snapshot(of, ids)).toEqual([]);
  });

  test("one machine that is refused keeps no other from its image", async () => {
    const { ref, ids } = await stopped(opened, 3);
    cloud.edge.inject({ on: "ec2.CreateImage", kind: "error", code: "IncorrectState" });
    expect(await outcomeOf(opened.provider.snapshot({ ...ref, move: 1 }, ids))).toBe("busy");
    expect(await ownImages(cloud)).toHaveLength(2);
    const told = await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    expect(told.map(({ state }) => state).toSorted()).toEqual(["complete", "complete", "pending"]);
  });

  test.each([
    ["SnapshotCreationPerVolumeRateExceeded", "busy"],
    ["ConcurrentSnapshotLimitExceeded", "busy"],
    ["SnapshotLimitExceeded", "quota_exceeded"],
    ["UnauthorizedOperation", "unavailable"],
  ])("%s is %s", async (code, said) => {
    const { ref, ids } = await stopped(opened, 1);
    cloud.edge.inject({ on: "ec2.CreateImage", kind: "error", code });
    expect(await outcomeOf(opened.provider.snapshot({ ...ref, move: 1 }, ids))).toBe(said);
  });

  test("stays away from machines: none is stopped, started or rebooted", async () => {
    const { ref, ids } = await stopped(opened, 1);
    const before = await cloud.raw.send(new DescribeInstancesCommand({ InstanceIds: [...ids] }));
    cloud.edge.clear();
    await opened.provider.snapshot({ ...ref, move: 1 }, ids);
    const operations = new Set(cloud.edge.log.map(call => call.operation));
    expect(operations).toEqual(new Set(["DescribeImages", "DescribeInstances", "CreateImage"]));
    const after = await cloud.raw.send(new DescribeInstancesCommand({ InstanceIds: [...ids] }));
    expect(after.Reservations).toEqual(before.Reservations);
  });
});

test("an image's name is one that EC2 takes, and another for each deployment, host and move", async () => {
  const of = fc.record({
    deployment: fc.string({ maxLength: 200 }),
    hostId: fc.string({ minLength: 1, maxLength: 60 }),
    move: fc.nat(),
  });
  const taken = /^[A-Za-z0-9_()[\] ./'@-]{3,128}$/;
  await fc.assert(
    fc.asyncProperty(of, async one => {
      expect(nameOf(one.deployment, one)).toMatch(taken);
    }),
  );
  const [host, next] = ["hst_01ARZ3NDEKTSV4RRFFQ69G5FAV_0", "hst_01ARZ3NDEKTSV4RRFFQ69G5FAV_1"];
  const names = ["app", "a".repeat(150), "a:b"].flatMap(deployment =>
    [host, next].flatMap(hostId => [1, 2].map(move => nameOf(deployment, { hostId, move }))),
  );
  expect(new Set(names).size).toBe(names.length);
});
