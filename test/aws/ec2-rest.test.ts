/**
 * Ran against: moto through the edge; placement groups are the edge's own doing, and a part of a launch that fails is tried
 * without any cloud.
 */
import { DescribeInstancesCommand, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { ec2Of } from "@muster/aws/ec2/client.ts";
import type { ClusterRef, Machine } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import {
  type Cloud,
  eachAlone,
  freshRef,
  IMAGE,
  intentOf,
  type Opened,
  openCloud,
  openProvider,
  REGION,
  sent,
} from "./ec2-support.ts";

let cloud: Cloud;
let opened: Opened;
eachAlone(openCloud, given => ({ cloud, opened } = given));

const idsOf = (machines: readonly Machine[]) => machines.map(machine => machine.machineId);

async function running(
  ref: ClusterRef = freshRef(),
  hosts = 1,
  more = {},
): Promise<{ ref: ClusterRef; ids: string[] }> {
  const machines = await opened.provider.launch(intentOf(ref, hosts, more));
  await opened.provider.observe(ref);
  return { ref, ids: idsOf(machines) };
}

/** Makes one that bears these tags, past the provider. */
async function stray(tags: Readonly<Record<string, string>>): Promise<string> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const made = await cloud.raw.send(
    new RunInstancesCommand({
      ImageId: IMAGE,
      InstanceType: "m5.large",
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags }],
    }),
  );
  return made.Instances![0]!.InstanceId!;
}

/** An answer of DescribeInstances with one machine. */
function page(id: string, next = "", change: Readonly<Record<string, string>> = {}): string {
  const tags = { deployment: "app-test", workspace: "main", cluster: "clu_1", generation: "1", try: "1", rank: "0" };
  const set = Object.entries({ ...tags, ...change }).map(
    ([key, value]) => `<item><key>muster:${key}</key><value>${value}</value></item>`,
  );
  const machine = `<item><instanceId>${id}</instanceId><tagSet>${set.join("")}</tagSet></item>`;
  const rest = next && `<nextToken>${next}</nextToken>`;
  return `<DescribeInstancesResponse><reservationSet><item><instancesSet>${machine}</instancesSet></item></reservationSet>${rest}</DescribeInstancesResponse>`;
}

describe("seeing", () => {
  test("a machine that bears only some of Muster's tags is told of, and left alone", async () => {
    const id = await stray({ "muster:deployment": "app-test", "muster:cluster": "clu_1" });
    expect(await opened.provider.sweep()).toEqual([]);
    expect(opened.logged).toEqual([expect.stringContaining(id)]);
  });

  test.each(["*", "app-*", "app-tes?"])("a deployment named '%s' sees its own machines only", async deployment => {
    await running();
    const { provider } = await openProvider(cloud, { deployment });
    expect(await provider.sweep()).toEqual([]);
    expect(sent(cloud.edge, "DescribeInstances").at(-1)!["Filter.1.Value.1"]).toBe(deployment.replace(/[*?]/, "\\$&"));
  });

  test("all pages are read, of 1000 machines each", async () => {
    cloud.pagesAre({ "": page("i-1", "two"), two: page("i-2", "three"), three: page("i-3") });
    expect(idsOf(await opened.provider.sweep())).toEqual(["i-1", "i-2", "i-3"]);
    const asked = sent(cloud.edge, "DescribeInstances").map(fields => [fields.MaxResults, fields.NextToken]);
    expect(asked).toEqual([
      ["1000", undefined],
      ["1000", "two"],
      ["1000", "three"],
    ]);
    cloud.edge.inject({ on: "ec2.DescribeInstances", skip: 1, times: 9, kind: "throttle" });
    await expect(opened.provider.sweep()).rejects.toMatchObject({ code: "busy" });
  });

  test.each([{ deployment: "app-other" }, { deployment: "app-test-2" }, { workspace: "other" }, { cluster: "clu_2" }])(
    "an answer that EC2 gives too much is cut: %j",
    async change => {
      cloud.pagesAre({ "": page("i-1", "", change) });
      expect(await opened.provider.observe({ workspace: "main", clusterId: "clu_1" })).toEqual([]);
      expect(idsOf(await opened.provider.sweep())).toEqual("deployment" in change ? [] : ["i-1"]);
    },
  );

  test("asks for the deployment's, the workspace's and the cluster's machines that are not terminated", async () => {
    await opened.provider.observe({ workspace: "main", clusterId: "clu_1" });
    const [fields] = sent(cloud.edge, "DescribeInstances");
    const filters = [1, 2, 3].map(at => [fields![`Filter.${at}.Name`], fields![`Filter.${at}.Value.1`]]);
    expect(filters).toEqual([
      ["tag:muster:deployment", "app-test"],
      ["tag:muster:workspace", "main"],
      ["tag:muster:cluster", "clu_1"],
    ]);
    expect(fields!["Filter.4.Name"]).toBe("instance-state-name");
    expect(Object.keys(fields!).filter(key => key.startsWith("Filter.4.Value"))).toHaveLength(5);
  });

  test("names no machine in its question: one that is unknown would spoil it", async () => {
    const { ref } = await running();
    await opened.provider.observe(ref);
    const keys = sent(cloud.edge, "DescribeInstances").flatMap(fields => Object.keys(fields));
    expect(keys.filter(key => key.startsWith("InstanceId"))).toEqual([]);
  });
});

describe("power", () => {
  test("machines that are still stopping are not started yet", async () => {
    const { ref, ids } = await running();
    const tags = (await cloud.raw.send(new DescribeInstancesCommand({}))).Reservations![0]!.Instances![0]!.Tags!;
    const set = tags.map(({ Key, Value }) => `<item><key>${Key}</key><value>${Value}</value></item>`).join("");
    const item = `<item><instanceId>${ids[0]}</instanceId><instanceState><name>stopping</name></instanceState><tagSet>${set}</tagSet></item>`;
    // Moto's machines stop at once; EC2's take a minute.
    cloud.pagesAre({
      "": `<DescribeInstancesResponse><reservationSet><item><instancesSet>${item}</instancesSet></item></reservationSet></DescribeInstancesResponse>`,
    });
    await expect(opened.provider.start(ref)).rejects.toMatchObject({ code: "busy" });
    expect(sent(cloud.edge, "StartInstances")).toEqual([]);
  });

  test("spot machines cannot be stopped", async () => {
    const { ref } = await running(freshRef(), 1, { offer: { market: "spot" } });
    await expect(opened.provider.stop(ref)).rejects.toMatchObject({ code: "unsupported" });
    expect(sent(cloud.edge, "StopInstances")).toEqual([]);
  });

  test("a cluster whose machines cannot be seen is not called started", async () => {
    await expect(opened.provider.start(freshRef())).rejects.toMatchObject({ code: "unavailable" });
  });

  test("what a power-off does is changed on every machine but spot", async () => {
    const { ref, ids } = await running(freshRef(), 7);
    const spot = await running(freshRef(), 1, { offer: { market: "spot" } });
    for (const of of [ref, spot.ref]) await opened.provider.setPowerOff(of, "terminate");
    // Read off the wire: moto takes the call and changes nothing.
    const changed = sent(cloud.edge, "ModifyInstanceAttribute");
    expect(changed.map(fields => fields.InstanceId!).toSorted()).toEqual(ids.toSorted());
    expect(new Set(changed.map(fields => fields["InstanceInitiatedShutdownBehavior.Value"]))).toEqual(
      new Set(["terminate"]),
    );
  });
});

describe("placement groups", () => {
  const grouped = (ref: ClusterRef, attempt = 1) =>
    opened.provider.launch(intentOf(ref, 1, { try: attempt, resources: { placementGroup: true } }));

  test("a cluster has one, of its own name and with its tags, however often it is launched", async () => {
    const ref = freshRef();
    for (const attempt of [1, 1, 2]) await grouped(ref, attempt);
    expect([...cloud.groups]).toEqual([`muster-app-test-${ref.clusterId}`]);
    expect(sent(cloud.edge, "CreatePlacementGroup")[0]).toMatchObject({ Strategy: "cluster" });
    for (const fields of sent(cloud.edge, "RunInstances"))
      expect(fields["Placement.GroupName"]).toBe(`muster-app-test-${ref.clusterId}`);
  });

  test("they are left when their clusters have no machines, and not while they are young; one that is used stays", async () => {
    const [gone, kept] = [freshRef(), freshRef()];
    const ids = idsOf(await grouped(gone));
    await grouped(kept);
    await opened.provider.terminate(ids);
    const left = async () => opened.provider.leftovers(await opened.provider.sweep());
    opened.clock.at += 3_599_000;
    expect(await left()).toEqual([]);
    opened.clock.at += 2_000;
    const id = `muster-app-test-${gone.clusterId}`;
    const [one, ...others] = await left();
    expect(others).toEqual([]);
    expect(one).toMatchObject({ ...gone, kind: "placement_group", id });
    cloud.edge.inject({ on: "ec2.DeletePlacementGroup", kind: "error", code: "InvalidPlacementGroup.InUse" });
    await expect(opened.provider.removeLeftover(one!)).rejects.toThrow("AWS refuses DeletePlacementGroup");
    await opened.provider.removeLeftover(one!);
    cloud.edge.inject({ on: "ec2.DeletePlacementGroup", kind: "error", code: "InvalidPlacementGroup.Unknown" });
    await opened.provider.removeLeftover(one!);
    expect([...cloud.groups]).toEqual([`muster-app-test-${kept.clusterId}`]);
  });
});

describe("why", () => {
  const output = (text: string) =>
    `<GetConsoleOutputResponse><output>${Buffer.from(text).toString("base64")}</output></GetConsoleOutputResponse>`;

  test("a machine that ended says why, as EC2 does", async () => {
    const { ref, ids } = await running();
    await opened.provider.terminate(ids);
    expect(await opened.provider.why(ref)).toEqual([expect.stringMatching(new RegExp(`^${ids[0]}: .*initiated`, "i"))]);
  });

  test("of the console, only what Muster's own boot said is shown, without the signs of a terminal", async () => {
    const lines = [
      "[    1.2] kernel",
      "[   12.0] cloud-init[9]: [muster] \u001b[31mfetches\u0007 node\u001b[0m\r",
      "login:",
      "[muster] tries again",
    ];
    const { provider } = await openProvider(cloud);
    cloud.consoleSays(output(lines.join("\n")));
    expect(await provider.console("i-0123456789abcdef0")).toEqual(["fetches node", "tries again"]);
    expect(sent(cloud.edge, "GetConsoleOutput")[0]).toMatchObject({ Latest: "true" });
  });

  test("and where a machine type cannot show the latest, what there is", async () => {
    cloud.consoleSays(output("[muster] hello"));
    cloud.edge.inject({ on: "ec2.GetConsoleOutput", kind: "error", code: "UnsupportedOperation" });
    expect(await opened.provider.console("i-0123456789abcdef0")).toEqual(["hello"]);
    expect(sent(cloud.edge, "GetConsoleOutput").map(fields => fields.Latest)).toEqual(["true", undefined]);
  });
});

test("every attempt of every call is counted", async () => {
  cloud.edge.inject({ on: "ec2.DescribeInstances", kind: "throttle" }, { on: "ec2.DescribeInstances", kind: "reset" });
  await opened.provider.sweep();
  const call = { service: "ec2", operation: "DescribeInstances" };
  expect(opened.calls).toEqual([
    { ...call, status: 503, attempt: 1 },
    { ...call, status: 0, attempt: 2 },
    { ...call, status: 200, attempt: 3 },
  ]);
});

test("credentials are asked for anew with every call", async () => {
  let asked = 0;
  const credentials = async () => {
    asked += 1;
    return { accessKeyId: `AKID${asked}`, secretAccessKey: "secret" };
  };
  const { reads } = ec2Of({ region: REGION, credentials, endpoint: cloud.edge.url });
  await reads.send(new DescribeInstancesCommand({}));
  const before = asked;
  await reads.send(new DescribeInstancesCommand({}));
  expect(asked).toBeGreaterThan(before);
});
