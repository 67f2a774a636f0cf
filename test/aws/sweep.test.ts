/**
 * The sweep of what nobody owns, with the provider of EC2: which machines it touches, and which never.
 *
 * Ran against: moto through the edge; the records are core's own, in SQLite. Client tokens are the edge's own doing.
 */
import * as Ec2 from "@aws-sdk/client-ec2";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import { sweep, sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clusterRequest } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import {
  aliveOf,
  type Cloud,
  eachAlone,
  freshRef,
  intentOf,
  type Opened,
  openCloud,
  openProvider,
} from "./ec2-support.ts";

vi.setConfig({ testTimeout: 30_000 });

let cloud: Cloud;
let opened: Opened;
let world: TestWorld;
eachAlone(openCloud, given => ({ cloud, opened } = given));

beforeEach(() => {
  world = { ...testWorld(), providers: new Map([["aws", opened.provider]]) };
});
afterEach(() => {
  expect(world.errors.filter(error => error.includes("could not"))).toEqual([]);
});

/** A machine of which there is no record. */
async function stray(ref: ClusterRef = freshRef(), { provider } = opened, attempt = 1): Promise<string> {
  const [machine] = await provider.launch(intentOf(ref, 1, { try: attempt }));
  if (machine === undefined) throw new Error("nothing was launched");
  return machine.machineId;
}

const tag = (id: string, Key: string, Value: string) =>
  cloud.raw.send(new Ec2.CreateTagsCommand({ Resources: [id], Tags: [{ Key, Value }] }));

async function stateOf(id: string): Promise<string | undefined> {
  const { Reservations: found } = await cloud.raw.send(new Ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
  return found?.[0]?.Instances?.[0]?.State?.Name;
}

test("a machine whose record is gone is ended; what it finds says its type, its age, and why", async () => {
  const ref = freshRef();
  const id = await stray(ref);
  const [found, ...others] = await sweep(world, { isDry: true });
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    ...{ id, clusterId: ref.clusterId, kind: "machine", provider: "aws", instanceType: "m5.large" },
    ...{ market: "on_demand", act: "terminate", outcome: "found", why: "there is no record of its cluster" },
  });
  expect(Math.abs((found?.since ?? 0) - Date.now())).toBeLessThan(600_000);
  expect(await stateOf(id)).toBe("running");
  expect(await sweepOrphans(world)).toEqual([id]);
  expect(await stateOf(id)).toBe("terminated");
});

test("machines of another deployment, and those that bear only some of the tags, are not even seen", async () => {
  const other = await openProvider(cloud, { deployment: "app-prod" });
  const theirs = await stray(freshRef(), other);
  const image = (await opened.catalog.current).images.cpuX64?.id;
  const started = await cloud.raw.send(new Ec2.RunInstancesCommand({ ImageId: image, MinCount: 1, MaxCount: 1 }));
  const somebodys = started.Instances?.[0]?.InstanceId ?? "";
  const half = await stray();
  await cloud.raw.send(new Ec2.DeleteTagsCommand({ Resources: [half], Tags: [{ Key: "muster:cluster" }] }));
  expect(await sweepOrphans(world)).toEqual([]);
  for (const id of [theirs, somebodys, half]) expect(await stateOf(id)).toBe("running");
  expect(opened.logged.join()).toContain("a machine bears only some of Muster's tags, and is left alone");
});

describe("a machine that somebody tagged muster:hold", () => {
  test.each(["true", "", "ada looks at it", "FALSEhood"])("with '%s' is kept, and told of", async value => {
    const id = await stray();
    await tag(id, "muster:hold", value);
    expect(await sweepOrphans(world)).toEqual([]);
    expect(await stateOf(id)).toBe("running");
    expect(world.errors).toEqual(["machines without an owner are held by their tag, and cost what they cost"]);
    expect(await sweep(world, { isDry: true })).toMatchObject([{ id, act: "keep" }]);
  });

  test.each(["false", "False", " false "])("with '%s' is not held", async value => {
    const id = await stray();
    await tag(id, "muster:hold", value);
    expect(await sweepOrphans(world)).toEqual([id]);
  });
});

/** A cluster of Ada's whose machine runs; nobody speaks for its agent. */
async function launched(): Promise<{ readonly ref: ClusterRef; readonly id: string }> {
  const { id: clusterId } = await Create.create(world, ADA, clusterRequest({ idle: "never" }));
  const ref = { workspace: ADA.workspace, clusterId };
  await reconcile(world, ref);
  const [machine] = await opened.provider.observe(ref);
  if (machine === undefined) throw new Error("nothing was launched");
  return { ref, id: machine.machineId };
}

test("a held machine of a living cluster follows it: down ends it", async () => {
  const { ref, id } = await launched();
  await tag(id, "muster:hold", "true");
  expect(await sweepOrphans(world)).toEqual([]);
  await Change.remove(world, ADA, ref.clusterId);
  await reconcile(world, ref);
  expect(await stateOf(id)).toBe("terminated");
});

test("a machine that shows up when its cluster has long been called terminated is ended", async () => {
  const { ref, id } = await launched();
  await Change.remove(world, ADA, ref.clusterId);
  for (let n = 0; n < 30 && (await get(world, ADA, ref.clusterId)).state !== "terminated"; n++) {
    world.clock.pass(60_000);
    await reconcile(world, ref);
  }
  expect((await get(world, ADA, ref.clusterId)).state).toBe("terminated");
  expect(await aliveOf(cloud, ref)).toEqual([]);
  const late = await stray(ref, opened, 2);
  expect(late).not.toBe(id);
  expect(await sweepOrphans(world)).toEqual([late]);
  expect(await aliveOf(cloud, ref)).toEqual([]);
});

test("what EC2 says has ended is told of as such, and what it does not show is not", async () => {
  const { ref, id } = await launched();
  expect(await opened.provider.ended(ref)).toEqual([]);
  await cloud.raw.send(new Ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
  expect(await opened.provider.observe(ref)).toEqual([]);
  expect(await opened.provider.ended(ref)).toMatchObject([{ machineId: id, state: "terminated", generation: 1 }]);
  expect(await opened.provider.ended(freshRef())).toEqual([]);
});

test("a placement group of a cluster without machines is deleted by the same sweep", async () => {
  const ref = freshRef();
  const [machine] = await opened.provider.launch(intentOf(ref, 1, { resources: { placementGroup: true } }));
  opened.clock.at += 3_700_000;
  const kinds = async () => (await sweep(world, { isDry: true })).map(({ kind, act }) => [kind, act]);
  expect(await kinds()).toEqual([["machine", "terminate"]]);
  await opened.provider.terminate([machine?.machineId ?? ""]);
  expect(await kinds()).toEqual([["placement_group", "delete"]]);
  await sweepOrphans(world);
  expect([...cloud.groups]).toEqual([]);
});
