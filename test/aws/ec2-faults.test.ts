/**
 * Ran against: moto through the edge, which injects the faults. At every call to AWS of a launch, each fault once: what
 * the verb answers, and what is there afterwards. That a token makes machines once is the edge's doing, not moto's.
 */
import { DescribeSecurityGroupsCommand } from "@aws-sdk/client-ec2";
import type { ClusterRef, Intent } from "@muster/core/ports/provider.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { faultOf, outcomeOf, patienceFor, saysOf, table } from "./ec2-faults-support.ts";
import { RESERVED } from "./ec2-gaps.ts";
import {
  aliveOf,
  type Cloud,
  freshRef,
  IMAGE,
  intentOf,
  makeParameter,
  type Opened,
  openCloud,
  openProvider,
} from "./ec2-support.ts";

let cloud: Cloud;
let opened: Opened;

beforeAll(async () => {
  cloud = await openCloud();
});
beforeEach(async () => {
  await makeParameter(cloud, "/images/mine", IMAGE);
  // One that has nothing in memory yet.
  opened = await openProvider(cloud);
});
afterEach(async () => {
  expect(cloud.edge.unimplemented).toEqual([]);
  await cloud.reset();
});
afterAll(() => cloud?.close());

const times = (call: string) => cloud.edge.log.filter(one => `${one.service}.${one.operation}` === call).length;

const aliveIds = async (ref: ClusterRef) => (await aliveOf(cloud, ref)).map(one => one.InstanceId!).toSorted();

let workspaces = 0;

/** Of a workspace that has no security group yet. */
function coldIntent(): Intent {
  workspaces += 1;
  return intentOf({ ...freshRef(), workspace: `w${workspaces}` }, 2, {
    resources: { image: "ssm:/images/mine", placementGroup: true, reservation: RESERVED },
  });
}

describe("launch", () => {
  const calls = [
    "ssm.GetParameter",
    "ec2.DescribeImages",
    "ec2.DescribeCapacityReservations",
    "ec2.DescribeSecurityGroups",
    "ec2.CreateSecurityGroup",
    "ec2.AuthorizeSecurityGroupIngress",
    "ec2.AuthorizeSecurityGroupEgress",
    "ec2.CreatePlacementGroup",
    "ec2.RunInstances",
  ];

  test("these are all of its calls", async () => {
    await opened.provider.launch(coldIntent());
    expect([...new Set(cloud.edge.log.map(one => `${one.service}.${one.operation}`))].toSorted()).toEqual(
      calls.toSorted(),
    );
  });

  test.each(table(calls))("%s %s", async (call, name) => {
    opened = await openProvider(cloud, patienceFor(name));
    const intent = coldIntent();
    cloud.edge.inject(faultOf(call, name));
    const outcome = await outcomeOf(opened.provider.launch(intent));
    expect(outcome).toBe(saysOf(call, name, "launch_failed"));
    expect(cloud.edge.log.filter(one => one.fault !== undefined)).toHaveLength(1);
    // A refusal says that nothing was made.
    if (name === "denied") expect(await aliveIds(intent)).toEqual([]);
    // Sent once per verb, whatever happened to it.
    expect(times("ec2.RunInstances")).toBeLessThanOrEqual(1);
    const machines = await opened.provider.launch(intent);
    expect(machines.map(machine => machine.machineId).toSorted()).toEqual(await aliveIds(intent));
    expect(machines).toHaveLength(2);
    expect((await opened.provider.sweep()).filter(machine => machine.clusterId === intent.clusterId)).toHaveLength(2);
  });

  test.each(["reset after", "silent after", "cut", "twice", "failed"] as const)(
    "RunInstances %s, over and over, makes the machines once",
    async name => {
      opened = await openProvider(cloud, patienceFor(name));
      const intent = coldIntent();
      cloud.edge.inject(faultOf("ec2.RunInstances", name, 3));
      const outcomes = [1, 2, 3].map(() => outcomeOf(opened.provider.launch(intent)));
      expect(new Set(await Promise.all(outcomes))).toEqual(new Set([name === "twice" ? "done" : "unavailable"]));
      const machines = await opened.provider.launch(intent);
      expect(machines.map(machine => machine.machineId).toSorted()).toEqual(await aliveIds(intent));
    },
  );

  test("two processes, both cold, make one security group and one set of machines", async () => {
    const intent = coldIntent();
    const second = await openProvider(cloud);
    const launches = [opened, second].map(({ provider }) => provider.launch(intent));
    const outcomes = await Promise.allSettled(launches);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "unavailable" });
    const machines = await second.provider.launch(intent);
    expect(machines.map(machine => machine.machineId).toSorted()).toEqual(await aliveIds(intent));
    const { SecurityGroups: groups } = await cloud.raw.send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: "tag:muster:workspace", Values: [intent.workspace] }] }),
    );
    expect(groups).toHaveLength(1);
  });
});
