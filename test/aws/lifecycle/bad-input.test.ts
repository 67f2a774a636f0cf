/**
 * Requests and accounts that cannot work: each ends with a named failure on the cluster, a next step, and no machine.
 *
 * Ran against: moto's DynamoDB and EC2 through the edge. That an image does not exist is moto's own answer; what else EC2
 * would refuse is the edge's, in EC2's documented codes. Time is the test's own.
 */
import * as Budget from "@muster/core/budget/change.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { register } from "@muster/core/host/enroll.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FACTS } from "../../support/host.ts";
import { code } from "../../support/requests.ts";
import { type Cloud, openCloud } from "../ec2-support.ts";
import { ADA, type AwsWorld, alive, goOn, openWorld, verbs } from "./world.ts";

let cloud: Cloud;
let at: AwsWorld;
beforeAll(async () => {
  cloud = await openCloud();
});
afterAll(() => cloud?.close());
beforeEach(async () => {
  await cloud.reset();
  at = await openWorld(cloud);
});

const unwatched = async () => undefined;
const refuses = (errorCode: string, times = Number.POSITIVE_INFINITY, status = 400) =>
  cloud.edge.inject({ on: "ec2.RunInstances", kind: "error", code: errorCode, status, times });

async function ended(more: Partial<Cluster.Create> = {}): Promise<Cluster.Info> {
  const id = await verbs.create(at, "demo", { idle: "never", ...more });
  const cluster = await goOn(at, id, ["ready", "failed", "terminated"], unwatched, 240);
  if (cluster.state === "failed") {
    expect(await alive(at, id)).toEqual([]);
    expect((await Budget.get(at.world, ADA)).hourly.taken).toBe(0);
    expect(cluster.failure?.hint).toMatch(/\w/);
  }
  return cluster;
}

test("an image that does not exist", async () => {
  const cluster = await ended({ resources: { instanceType: "m5.large", image: "ami-00000000000000000" } });
  expect(cluster).toMatchObject({
    state: "failed",
    failure: { code: "launch_failed", message: expect.stringContaining("ami-00000000000000000") },
  });
});

test("a quota that is too small, as only the launch finds out", async () => {
  refuses("VcpuLimitExceeded");
  expect(await ended()).toMatchObject({
    state: "failed",
    failure: { code: "quota_exceeded", hint: expect.stringContaining("servicequotas") },
  });
});

test("a type that the zone does not have: the next zone is tried", async () => {
  refuses("Unsupported", 1);
  expect((await ended()).state).toBe("ready");
  const zones = cloud.edge.log.filter(call => call.operation === "RunInstances");
  expect(zones.length).toBe(2);
});

test("no capacity anywhere", async () => {
  refuses("InsufficientInstanceCapacity", Number.POSITIVE_INFINITY, 500);
  expect(await ended()).toMatchObject({ state: "failed", failure: { code: "no_capacity" } });
});

test("a region that the account has not enabled", async () => {
  refuses("OptInRequired", Number.POSITIVE_INFINITY, 401);
  expect(await ended()).toMatchObject({ state: "failed", failure: { code: "launch_failed" } });
});

test("credentials that expire in mid-launch, and are renewed", async () => {
  refuses("RequestExpired", 3);
  expect((await ended()).state).toBe("ready");
});

test("hosts that boot and never call home", async () => {
  at.calls = false;
  expect(await ended()).toMatchObject({ state: "failed", failure: { code: "boot_timeout" } });
});

test("a host that registers twice is refused the second time, and goes on as the first", async () => {
  const id = await verbs.create(at, "demo", { idle: "never", nodes: 1 });
  await goOn(at, id, ["ready"], unwatched);
  const [instance] = await alive(at, id);
  const { account, hostRole } = at.world.trust;
  const arn = `arn:aws:sts::${account}:assumed-role/${hostRole}/${instance?.InstanceId}`;
  const again = register(at.world, { arn, account }, { nonce: "f".repeat(64), facts: FACTS });
  expect(await code(again)).toBe("unauthenticated");
  expect((await goOn(at, id, [], unwatched, 4)).state).toBe("ready");
});
