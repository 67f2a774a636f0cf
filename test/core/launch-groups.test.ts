/** Launches of clusters with groups: verbs and plans of core, on SQLite in memory and a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import * as Create from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import type { Barred } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import { callsOf, enrollGroups, HEAD, readyGroups, requestedGroups, WORKERS } from "../support/groups.ts";
import { code, launchRequest, readyCluster, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const request = (groups: unknown = [HEAD, WORKERS], more: object = {}) =>
  Launch.Create.parse({ task: { run: "true", nodes: 2 }, cluster: "demo", groups, ...more });

/** Where a request is wrong, and how. */
const amiss = (groups: unknown, task: object) => {
  const parsed = Launch.Create.safeParse({ task: { run: "true", ...task }, groups });
  return parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

describe("a launch with groups", () => {
  test("makes the cluster of them, and its job runs where jobs may", async () => {
    const world = testWorld();
    const { cluster, job, reused } = await Create.create(world, ADA, request());
    expect({ reused, nodes: cluster.nodes, jobNodes: job?.nodes }).toEqual({ reused: false, nodes: 3, jobNodes: 2 });
    expect(cluster.groups).toMatchObject([
      { name: "head", nodes: 1, schedulable: false },
      { name: "workers", nodes: 2, schedulable: true },
    ]);
    await reconcile(world, ref(cluster.id));
    await enrollGroups(world);
    expect(callsOf(world)).toEqual([
      [1, "head", "small", [0]],
      [2, "workers", "large", [1, 2]],
    ]);
    await schedule(world, ref(cluster.id));
    expect(await Jobs.find(world, ADA, job?.id ?? "")).toMatchObject({ state: "starting", placement: [1, 2] });
  });

  test("said again finds the cluster, and another head is not this one", async () => {
    const world = testWorld();
    const { cluster } = await Create.create(world, ADA, request());
    expect(await Create.create(world, ADA, request())).toMatchObject({ reused: true, cluster: { id: cluster.id } });
    const other = request([{ ...HEAD, nodes: 2 }, WORKERS]);
    await expect(Create.create(world, ADA, other)).rejects.toMatchObject({
      code: "conflict",
      message: "group 'head' of cluster 'demo' has 1 host; 2 were asked for",
    });
  });

  test("is refused for what its job cannot have there, and for resources that are said twice", () => {
    expect(amiss([HEAD, WORKERS], { nodes: 2 })).toBeUndefined();
    expect(amiss([HEAD, WORKERS], { nodes: 3 })).toEqual([
      "task.nodes: the job wants 3 hosts; these groups have 2 for jobs",
    ]);
    expect(amiss([WORKERS], { resources: { provider: "fake" } })).toEqual([
      "task.resources: each of the groups says its own resources",
    ]);
    expect(amiss(undefined, { resources: { provider: "fake" }, nodes: 3 })).toBeUndefined();
  });

  test("names the groups that ask for a provider which is not there", async () => {
    const world = testWorld();
    const of = (provider: string) => ({ resources: { provider } });
    const groups = [{ name: "a" }, { ...of("moon"), name: "b" }, { ...of("moon"), name: "c" }];
    await expect(Create.create(world, ADA, request(groups))).rejects.toMatchObject({
      code: "unsupported",
      details: {
        issues: [{ path: "groups.1.resources.cloud" }, { path: "groups.2.resources.cloud" }],
        hint: "run it here with: --groups.1.resources.cloud fake --groups.2.resources.cloud fake; or, for every file that says it: muster targets set moon --provider fake",
      },
    });
  });

  test("says of which group something is refused, and what to type for it", async () => {
    const world = testWorld();
    const { offers } = world.provider;
    world.provider.offers = async resources => {
      const found = await offers(resources);
      return found.offers.length > 0 ? found : { ...found, hint: "or with: --resources.instance_type null" };
    };
    const groups = [HEAD, { ...WORKERS, resources: { instanceType: "huge" } }];
    await expect(Create.plan(world, ADA, request(groups))).rejects.toMatchObject({
      code: "no_offer",
      message: "group 'workers': there is no huge",
      details: { hint: "or with: --groups.1.resources.instance_type null" },
    });
    const alone = { ...launchRequest, task: { ...launchRequest.task, resources: { instanceType: "huge" } } };
    await expect(Create.plan(world, ADA, alone)).rejects.toMatchObject({
      message: "there is no huge",
      details: { hint: "or with: --resources.instance_type null" },
    });
  });
});

describe("a plan", () => {
  const shape = ({ nodes, offers, groups }: Launch.Plan) => ({
    nodes,
    offers: offers.map(offer => offer.instanceType),
    groups: groups.map(group => [
      group.name,
      group.nodes,
      group.schedulable,
      group.offers.map(one => one.instanceType),
    ]),
  });

  test("of one kind of hosts has its offers where they always were, and in its group", async () => {
    const world = testWorld();
    expect(shape(await Create.plan(world, ADA, launchRequest))).toEqual({
      nodes: 1,
      offers: ["small", "large"],
      groups: [["main", 1, true, ["small", "large"]]],
    });
  });

  test("of groups has the offers of each, and changes nothing", async () => {
    const world = testWorld();
    expect(shape(await Create.plan(world, ADA, request()))).toEqual({
      nodes: 3,
      offers: [],
      groups: [
        ["head", 1, false, ["small"]],
        ["workers", 2, true, ["large"]],
      ],
    });
    expect(world.changes).toEqual([]);
  });

  test("is for spot when one of its groups is", async () => {
    const world = testWorld();
    const spot = [HEAD, { ...WORKERS, resources: { spot: true } }];
    expect((await Create.plan(world, ADA, request(spot))).idle).toMatchObject({ action: "terminate" });
    expect((await Create.plan(world, ADA, request())).idle).toMatchObject({ action: "stop" });
  });

  test("tells what is barred by group, and of all of them together", async () => {
    const world = testWorld();
    const barred: Barred[] = [{ instanceType: "huge", market: "on_demand", reason: "the quota" }];
    const { offers } = world.provider;
    world.provider.offers = async resources => ({
      ...(await offers(resources)),
      ...(resources.instanceType === "large" && { barred }),
    });
    const plan = await Create.plan(world, ADA, request());
    expect([plan.barred, plan.groups.map(group => group.barred)]).toEqual([barred, [undefined, barred]]);
  });

  test("on a cluster that is there tells the machines of each group", async () => {
    const world = testWorld();
    await readyGroups(world);
    const plan = await Create.plan(world, ADA, { ...launchRequest, groups: undefined });
    expect(shape(plan)).toEqual({
      nodes: 3,
      offers: [],
      groups: [
        ["head", 1, false, ["small"]],
        ["workers", 2, true, ["large"]],
      ],
    });
    expect(plan.groups.map(group => group.offers[0])).toMatchObject([
      { provider: "fake", hourly: 0.1, cpus: 4 },
      { provider: "fake", hourly: 0.1, cpus: 4, market: "on_demand" },
    ]);
  });

  test("on one whose machines are not chosen yet has groups without offers", async () => {
    const world = testWorld();
    await requestedGroups(world);
    const plan = await Create.plan(world, ADA, request());
    expect(shape(plan).groups).toEqual([
      ["head", 1, false, []],
      ["workers", 2, true, []],
    ]);
  });

  test("on one of a single kind has its offer in both places", async () => {
    const world = testWorld();
    await readyCluster(world);
    const plan = await Create.plan(world, ADA, launchRequest);
    expect(shape(plan)).toEqual({ nodes: 1, offers: ["small"], groups: [["main", 1, true, ["small"]]] });
    expect(plan.groups[0]?.offers).toEqual(plan.offers);
  });

  test("of a policy that is still on its way to the machines shows that one", async () => {
    const world = testWorld();
    await readyCluster(world);
    const idle = { after: 5, action: "terminate" } as const;
    await Change.autostop(world, ADA, "demo", idle);
    expect((await Create.plan(world, ADA, launchRequest)).idle).toEqual(idle);
  });
});

describe("accelerators by another name", () => {
  const holding = (accelerators: Readonly<Record<string, number>>): TestWorld => {
    const world = testWorld();
    world.provider.offered.splice(0, 2, { ...world.provider.offered[0], accelerators } as never);
    return world;
  };
  const fits = (world: TestWorld, accelerators: Readonly<Record<string, number>>) =>
    code(Create.create(world, ADA, { ...launchRequest, task: { ...launchRequest.task, resources: { accelerators } } }));

  test.each([
    [{ A100: 8 }, { "A100-40GB": 8 }, "nothing"],
    [{ A100: 8 }, { "nvidia-a100": 4 }, "nothing"],
    [{ A100: 8 }, { "A100-80GB": 8 }, "conflict"],
    [{ "A100-80GB": 8 }, { A100: 8 }, "conflict"],
    [{ "A100-80GB": 8 }, { "A100-80G": 8 }, "nothing"],
    [{ "NVIDIA A100-SXM4-40GB": 1 }, { A100: 1 }, "nothing"],
    [{ "NVIDIA A100-SXM4-80GB": 1 }, { "A100-80GB": 1 }, "nothing"],
    [{ "Tesla T4": 1 }, { T4: 1 }, "nothing"],
    [{ T4g: 1 }, { T4: 1 }, "conflict"],
    [{ "NVIDIA GeForce RTX 4090": 2 }, { "RTX-4090": 2 }, "nothing"],
    [{ "NVIDIA GeForce RTX 4090": 2 }, { "RTX-4080": 2 }, "conflict"],
  ])("on %j, a job that wants %j: %s", async (has, wanted, outcome) => {
    const world = holding(has);
    await readyCluster(world);
    expect(await fits(world, wanted)).toBe(outcome);
  });
});
