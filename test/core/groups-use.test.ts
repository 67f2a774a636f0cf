/** What clusters of several kinds of hosts cost, run and refuse; real verbs and reconcilers, on a provider of ours. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import * as LaunchCreate from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import {
  callsOf,
  during,
  groupsRequest,
  HEAD,
  readyGroups,
  requestedGroups,
  taken,
  WORKERS,
} from "../support/groups.ts";
import { code, jobRequest, launchRequest, passing, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

describe("the budget", () => {
  const priced = (small: number, large: number) => {
    const world = testWorld();
    world.provider.offered.splice(
      0,
      2,
      ...world.provider.offered.map((offer, n) => ({ ...offer, hourly: n === 0 ? small : large })),
    );
    return world;
  };

  test("takes the sum at once, and the difference when a group's offer is another one", async () => {
    const world = priced(1, 3);
    const id = await requestedGroups(world, [HEAD, { name: "workers", nodes: 2 }]);
    expect(await taken(world)).toBe(3);
    world.provider.full.add("group:workers");
    during(world, "head", async () => expect(await taken(world)).toBe(3));
    const launch = world.provider.launch.bind(world.provider);
    world.provider.launch = async intent => {
      if (intent.offer.instanceType === "large") world.provider.full.clear();
      return launch(intent);
    };
    await reconcile(world, ref(id));
    expect(callsOf(world).map(([, group, type]) => [group, type])).toEqual([
      ["head", "small"],
      ["workers", "small"],
      ["workers", "large"],
    ]);
    expect(await taken(world)).toBe(7);
    await Change.remove(world, ADA, id);
    await passing(world, 2);
    expect(await taken(world)).toBe(0);
  });

  test("is asked for all groups: what is too much changes nothing", async () => {
    const world = priced(5, 6);
    expect(await code(Create.create(world, ADA, groupsRequest([HEAD, { ...WORKERS, nodes: 1 }])))).toBe("over_budget");
    expect([world.changes.length, await taken(world)]).toEqual([0, 0]);
  });

  test("that a later group exceeds fails the cluster, and what was made ends", async () => {
    const world = priced(2, 5);
    during(world, "head", async () => {
      world.provider.full.add("small");
    });
    const id = await requestedGroups(world, [HEAD, { name: "workers", nodes: 2 }]);
    await reconcile(world, ref(id));
    await passing(world, 2);
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "failed",
      failure: { code: "over_budget", message: expect.stringMatching(/^group 'workers': that would cost \$6\.00/) },
    });
    expect([world.provider.machines.size, await taken(world)]).toEqual([0, 0]);
  });
});

describe("jobs", () => {
  test("run on schedulable hosts only, and wait for those", async () => {
    const world = testWorld();
    const { id } = await readyGroups(world);
    const wide = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
    const next = await submit(world, ADA, "demo", jobRequest());
    await schedule(world, ref(id));
    expect(await Jobs.find(world, ADA, wide.id)).toMatchObject({ state: "starting", placement: [1, 2] });
    const { job, reasons } = await why(world, ADA, next.id);
    expect([job.state, reasons]).toEqual([
      "queued",
      [`it wants 1 of 2 hosts, and 0 are free: the rest is taken by ${wide.id}`],
    ]);
  });

  test("are launched where enough of the hosts do for them, and refused where too few do", async () => {
    const world = testWorld();
    const { offered } = world.provider;
    offered.splice(0, 2, ...offered.map(offer => ({ ...offer, cpus: offer.instanceType === "large" ? 8 : 4 })));
    await readyGroups(world, [{ ...HEAD, schedulable: true }, WORKERS]);
    const launch = (nodes: number) =>
      LaunchCreate.create(world, ADA, {
        ...launchRequest,
        task: Task.parse({ run: "true", nodes, resources: { cpus: { count: 8, atLeast: true } } }),
      });
    const { job } = await launch(2);
    await schedule(world, ref(job?.clusterId ?? ""));
    expect(await Jobs.find(world, ADA, job?.id ?? "")).toMatchObject({ state: "starting", placement: [1, 2] });
    await expect(launch(3)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("4 CPUs per host; 8 were asked for"),
    });
  });

  test("that want more hosts than take jobs are refused, when submitted and when launched", async () => {
    const world = testWorld();
    await readyGroups(world);
    await expect(submit(world, ADA, "demo", jobRequest({ nodes: 3 }))).rejects.toMatchObject({
      code: "invalid_request",
      message: "the job wants 3 hosts; cluster 'demo' has 2 for jobs",
    });
    const launch = (nodes: number) =>
      LaunchCreate.create(world, ADA, { ...launchRequest, task: Task.parse({ run: "true", nodes }) });
    await expect(launch(3)).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("2 hosts") });
    expect(await launch(2)).toMatchObject({ reused: true, job: { nodes: 2 } });
  });

  test("need machines like those of every group that takes jobs, and no other", async () => {
    const world = testWorld();
    const [small] = world.provider.offered;
    world.provider.offered.splice(1, 1, { ...small, instanceType: "large", cpus: 16 } as never);
    await readyGroups(world);
    const launch = (cpus: number) => {
      const resources = { cpus: { count: cpus, atLeast: true } };
      return LaunchCreate.create(world, ADA, { ...launchRequest, task: Task.parse({ run: "true", resources }) });
    };
    expect((await launch(16)).reused).toBe(true);
    await expect(launch(17)).rejects.toThrow("group 'workers': cluster 'demo' has 16 CPUs per host");
  });
});

describe("up again", () => {
  test("with the same groups, or fewer of their hosts, finds the cluster", async () => {
    const world = testWorld();
    const { id } = await readyGroups(world);
    const again = [
      groupsRequest(),
      groupsRequest([{ ...WORKERS, nodes: 1 }]),
      groupsRequest(undefined, { groups: undefined }),
    ];
    for (const body of again) expect((await Create.create(world, ADA, body)).id).toBe(id);
    expect(world.provider.intents).toHaveLength(2);
  });

  test("with jobs on the head is refused, in words", async () => {
    const world = testWorld();
    await readyGroups(world);
    const message = "group 'head' of cluster 'demo' takes no jobs";
    const body = groupsRequest([{ ...HEAD, schedulable: true }]);
    await expect(Create.create(world, ADA, body)).rejects.toMatchObject({ code: "conflict", message });
  });

  test.each([
    ["more hosts", [HEAD, { ...WORKERS, nodes: 4 }], "group 'workers' of cluster 'demo' has 2 hosts; 4 were asked for"],
    ["a new group", [{ name: "more" }], "cluster 'demo' has no group 'more'; it has 'head' and 'workers'"],
  ])("by a launch with %s is refused, in words: only up lets a cluster grow", async (_, groups, message) => {
    const world = testWorld();
    await readyGroups(world);
    const body = Launch.Create.parse({ task: { run: "true" }, cluster: "demo", groups });
    await expect(LaunchCreate.create(world, ADA, body)).rejects.toMatchObject({ code: "conflict", message });
  });
});

test.each([
  ["nodes", { nodes: 2, groups: [WORKERS] }],
  ["resources", { resources: {}, groups: [WORKERS] }],
  ["groups", { groups: [] }],
  ["groups", { groups: [HEAD] }],
  ["groups", { groups: Array.from({ length: 9 }, (_, n) => ({ name: `g${n}` })) }],
  [
    "groups",
    {
      groups: [
        { ...WORKERS, nodes: 1000 },
        { ...WORKERS, name: "more", nodes: 25 },
      ],
    },
  ],
  ["groups.1.name", { groups: [WORKERS, { name: "Workers" }] }],
  ["groups.0.name", { groups: [{ name: "a b" }] }],
  ["groups.0.nodes", { groups: [{ name: "a", nodes: 0 }] }],
  ["groups.0", { groups: [{ name: "a", size: 1 }] }],
  [
    "groups.1.resources.provider",
    {
      groups: [
        { name: "a", resources: { provider: "x" } },
        { name: "b", resources: { provider: "y" } },
      ],
    },
  ],
])("a request is refused for its %s", (path, body) => {
  const parsed = Cluster.Create.safeParse({ name: "demo", ...body });
  expect(parsed.error?.issues.map(issue => issue.path.join("."))).toEqual([path]);
});

test("a group that no provider can serve is refused by its name, before anything is made", async () => {
  const world = testWorld();
  const groups = [WORKERS, { name: "gpus", resources: { instanceType: "huge" } }];
  await expect(Create.create(world, ADA, groupsRequest(groups))).rejects.toMatchObject({
    code: "no_offer",
    message: "group 'gpus': there is no huge",
  });
  expect(world.changes).toEqual([]);
});
