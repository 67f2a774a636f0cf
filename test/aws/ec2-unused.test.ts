/** Ran against: moto through the edge, which injects the fault. Who is quiet is said by the test. */
import { DescribeSecurityGroupsCommand } from "@aws-sdk/client-ec2";
import { ec2Of } from "@muster/aws/ec2/client.ts";
import { deleteUnused } from "@muster/aws/ec2/unused.ts";
import type { Machine } from "@muster/core/ports/provider.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Cloud, freshRef, intentOf, openCloud, openProvider, REGION } from "./ec2-support.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await openCloud();
});
afterEach(async () => {
  expect(cloud.edge.unimplemented).toEqual([]);
  await cloud.reset();
});
afterAll(() => cloud?.close());

const credentials = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });

/** Deletes what is unused while only these workspaces are quiet. */
async function remove(quiet: readonly string[], deployment = "app-test") {
  const logged: string[] = [];
  const gone = await deleteUnused({
    ec2: ec2Of({ region: REGION, credentials, endpoint: cloud.edge.url }, 10_000),
    deployment,
    log: { info: message => void logged.push(message), error: message => void logged.push(message) },
    isQuiet: async workspace => {
      if (workspace === "broken") throw new Error("its records cannot be read");
      return quiet.includes(workspace);
    },
  });
  return { gone: gone.length, logged };
}

const idsOf = (machines: readonly Machine[]) => machines.map(({ machineId }) => machineId);

const names = async () => {
  const { SecurityGroups: groups = [] } = await cloud.raw.send(new DescribeSecurityGroupsCommand({}));
  return groups.flatMap(({ GroupName = "" }) => (GroupName === "default" ? [] : [GroupName])).toSorted();
};

/** A cluster in each of these workspaces, whose machines have ended. */
async function used(...workspaces: string[]): Promise<void> {
  const { provider } = await openProvider(cloud);
  for (const workspace of workspaces) {
    const machines = await provider.launch(intentOf({ ...freshRef(), workspace }));
    await provider.terminate(idsOf(machines));
  }
}

test("groups of quiet workspaces go, and those of others and of other deployments stay", async () => {
  await used("one", "two");
  const other = await openProvider(cloud, { deployment: "app-other" });
  await other.provider.terminate(idsOf(await other.provider.launch(intentOf({ ...freshRef(), workspace: "one" }))));
  expect(await remove(["one"])).toEqual({ gone: 1, logged: [] });
  expect(await names()).toEqual(["muster-app-other-one", "muster-app-test-two"]);
  expect(await remove(["one"])).toEqual({ gone: 0, logged: [] });
});

test("one that cannot be deleted, or whose workspace cannot be read, keeps no other from going", async () => {
  await used("broken", "one", "two");
  cloud.edge.inject({ on: "ec2.DeleteSecurityGroup", kind: "error", code: "DependencyViolation" });
  const why = "a security group could not be deleted yet";
  expect(await remove(["broken", "one", "two"])).toEqual({ gone: 1, logged: [why, why] });
  expect(await names()).toHaveLength(2);
  expect(await remove(["one", "two"])).toEqual({ gone: 1, logged: [why] });
  expect(await names()).toEqual(["muster-app-test-broken"]);
});

test("a workspace whose group is gone gets another with its next launch", async () => {
  await used("one");
  await remove(["one"]);
  await used("one");
  expect(await names()).toEqual(["muster-app-test-one"]);
});
